// libelf, the system's: sections and symbols of object files.
#pragma once
#include <gelf.h>
#include <libelf.h>
