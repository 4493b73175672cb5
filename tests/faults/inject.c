// A preloaded library that lets the n-th call of one function of libc fail:
//   FAULT_CALL=write FAULT_AT=3 FAULT_ERRNO=28 LD_PRELOAD=./inject.so lmc …
// With FAULT_COUNT=FILE nothing fails, and how often each was called is appended to FILE when the process ends.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { OPEN, FOPEN, READ, PREAD, WRITE, PWRITE, FSYNC, RENAME, RENAMEAT2, MMAP, FTRUNCATE, FALLOCATE, MKDIR, SYMLINK, SOCKET,
       CONNECT, RECV, SEND, CALLS };
static const char* const kNames[CALLS] = {"open",  "fopen",     "read", "pread",     "write",           "pwrite", "fsync",
                                          "rename", "renameat2", "mmap", "ftruncate", "posix_fallocate", "mkdir",
                                          "symlink", "socket",    "connect", "recv", "send"};
static atomic_long counts[CALLS];
static int which = -1, error_number;
static long at;
static const char* report;

__attribute__((constructor)) static void begin(void) {
  const char* call = getenv("FAULT_CALL");
  for (int i = 0; call && i < CALLS; ++i)
    if (strcmp(call, kNames[i]) == 0) which = i;
  at = getenv("FAULT_AT") ? atol(getenv("FAULT_AT")) : 0;
  error_number = getenv("FAULT_ERRNO") ? atoi(getenv("FAULT_ERRNO")) : EIO;
  report = getenv("FAULT_COUNT");
}

__attribute__((destructor)) static void end(void) {
  if (!report) return;
  FILE* (*real)(const char*, const char*) = dlsym(RTLD_NEXT, "fopen");
  FILE* f = real(report, "a");
  for (int i = 0; f && i < CALLS; ++i) fprintf(f, "%s %ld\n", kNames[i], atomic_load(&counts[i]));
  if (f) fclose(f);
}

// Is it this call's turn to fail?
static int fails(int call) {
  const long n = atomic_fetch_add(&counts[call], 1) + 1;
  if (call != which || n != at) return 0;
  errno = error_number;
  return 1;
}

#define REAL(type, name) ((type)dlsym(RTLD_NEXT, name))

static mode_t mode_of(int flags, va_list list) { return (flags & (O_CREAT | O_TMPFILE)) ? va_arg(list, mode_t) : 0; }
#define OPENS(name)                                                                \
  int name(const char* path, int flags, ...) {                                     \
    va_list list;                                                                  \
    va_start(list, flags);                                                         \
    const mode_t mode = mode_of(flags, list);                                      \
    va_end(list);                                                                  \
    if (fails(OPEN)) return -1;                                                    \
    return REAL(int (*)(const char*, int, ...), #name)(path, flags, mode);         \
  }
OPENS(open)
OPENS(open64)
FILE* fopen(const char* path, const char* mode) {
  return fails(FOPEN) ? NULL : REAL(FILE * (*)(const char*, const char*), "fopen")(path, mode);
}
FILE* fopen64(const char* path, const char* mode) {
  return fails(FOPEN) ? NULL : REAL(FILE * (*)(const char*, const char*), "fopen64")(path, mode);
}
ssize_t read(int fd, void* to, size_t n) {
  return fails(READ) ? -1 : REAL(ssize_t(*)(int, void*, size_t), "read")(fd, to, n);
}
ssize_t pread(int fd, void* to, size_t n, off_t where) {
  return fails(PREAD) ? -1 : REAL(ssize_t(*)(int, void*, size_t, off_t), "pread")(fd, to, n, where);
}
ssize_t pread64(int fd, void* to, size_t n, off_t where) {
  return fails(PREAD) ? -1 : REAL(ssize_t(*)(int, void*, size_t, off_t), "pread64")(fd, to, n, where);
}
ssize_t write(int fd, const void* from, size_t n) {
  return fails(WRITE) ? -1 : REAL(ssize_t(*)(int, const void*, size_t), "write")(fd, from, n);
}
// libstdc++'s streams.
ssize_t writev(int fd, const struct iovec* from, int n) {
  return fails(WRITE) ? -1 : REAL(ssize_t(*)(int, const struct iovec*, int), "writev")(fd, from, n);
}
ssize_t pwrite(int fd, const void* from, size_t n, off_t where) {
  return fails(PWRITE) ? -1 : REAL(ssize_t(*)(int, const void*, size_t, off_t), "pwrite")(fd, from, n, where);
}
ssize_t pwrite64(int fd, const void* from, size_t n, off_t where) {
  return fails(PWRITE) ? -1 : REAL(ssize_t(*)(int, const void*, size_t, off_t), "pwrite64")(fd, from, n, where);
}
int fsync(int fd) { return fails(FSYNC) ? -1 : REAL(int (*)(int), "fsync")(fd); }
int fdatasync(int fd) { return fails(FSYNC) ? -1 : REAL(int (*)(int), "fdatasync")(fd); }
int rename(const char* from, const char* to) {
  return fails(RENAME) ? -1 : REAL(int (*)(const char*, const char*), "rename")(from, to);
}
int renameat2(int a, const char* from, int b, const char* to, unsigned flags) {
  return fails(RENAMEAT2) ? -1
                          : REAL(int (*)(int, const char*, int, const char*, unsigned), "renameat2")(a, from, b, to, flags);
}
void* mmap(void* where, size_t n, int protection, int flags, int fd, off_t offset) {
  if (fails(MMAP)) return MAP_FAILED;
  return REAL(void* (*)(void*, size_t, int, int, int, off_t), "mmap")(where, n, protection, flags, fd, offset);
}
void* mmap64(void* where, size_t n, int protection, int flags, int fd, off_t offset) {
  if (fails(MMAP)) return MAP_FAILED;
  return REAL(void* (*)(void*, size_t, int, int, int, off_t), "mmap64")(where, n, protection, flags, fd, offset);
}
int ftruncate(int fd, off_t n) { return fails(FTRUNCATE) ? -1 : REAL(int (*)(int, off_t), "ftruncate")(fd, n); }
int ftruncate64(int fd, off_t n) { return fails(FTRUNCATE) ? -1 : REAL(int (*)(int, off_t), "ftruncate64")(fd, n); }
int posix_fallocate(int fd, off_t from, off_t n) {
  return fails(FALLOCATE) ? error_number : REAL(int (*)(int, off_t, off_t), "posix_fallocate")(fd, from, n);
}
int posix_fallocate64(int fd, off_t from, off_t n) {
  return fails(FALLOCATE) ? error_number : REAL(int (*)(int, off_t, off_t), "posix_fallocate64")(fd, from, n);
}
int mkdir(const char* path, mode_t mode) { return fails(MKDIR) ? -1 : REAL(int (*)(const char*, mode_t), "mkdir")(path, mode); }
int symlink(const char* to, const char* path) {
  return fails(SYMLINK) ? -1 : REAL(int (*)(const char*, const char*), "symlink")(to, path);
}
int socket(int domain, int type, int protocol) {
  return fails(SOCKET) ? -1 : REAL(int (*)(int, int, int), "socket")(domain, type, protocol);
}
int connect(int fd, const struct sockaddr* to, socklen_t n) {
  return fails(CONNECT) ? -1 : REAL(int (*)(int, const struct sockaddr*, socklen_t), "connect")(fd, to, n);
}
ssize_t recv(int fd, void* to, size_t n, int flags) {
  return fails(RECV) ? -1 : REAL(ssize_t(*)(int, void*, size_t, int), "recv")(fd, to, n, flags);
}
ssize_t send(int fd, const void* from, size_t n, int flags) {
  return fails(SEND) ? -1 : REAL(ssize_t(*)(int, const void*, size_t, int), "send")(fd, from, n, flags);
}
