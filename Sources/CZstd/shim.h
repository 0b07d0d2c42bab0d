// zstd, the system's: captures compressed with zstd.
#pragma once
#include <zstd.h>
