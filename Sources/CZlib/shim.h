// zlib, the system's: captures compressed with gzip.
#pragma once
#include <zlib.h>
