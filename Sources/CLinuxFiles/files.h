// Linux calls that the C library declares for GNU source only, which Swift's Glibc module is not.
#pragma once
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <sys/syscall.h>
#include <unistd.h>

// Reserves space behind the end of a file without making the file longer; 0, or -1 with errno.
static inline int linux_reserve(int descriptor, off_t offset, off_t length) {
  return (int)syscall(SYS_fallocate, descriptor, FALLOC_FL_KEEP_SIZE, offset, length);
}

// Exchanges the names of two files in one step; 0, or -1 with errno.
static inline int linux_exchange(const char *a, const char *b) {
  return (int)syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE);
}
