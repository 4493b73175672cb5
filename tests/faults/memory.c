// A preloaded library that lets the n-th allocation of a process fail, as if there were no memory:
//   FAULT_AT=300 [FAULT_ALL=1: and all that follow] LD_PRELOAD=./memory.so lmc …
// With FAULT_COUNT=FILE nothing fails, and how many there were is appended to FILE when the process ends.
// operator new is libstdc++'s, which calls malloc here.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

extern void* __libc_malloc(size_t);
extern void* __libc_calloc(size_t, size_t);
extern void* __libc_realloc(void*, size_t);
extern void* __libc_memalign(size_t, size_t);

static atomic_long count;
static long at = 0;
static int all;
static const char* report;

// Before this nothing fails: what the loader and libc themselves need.
__attribute__((constructor)) static void begin(void) {
  atomic_store(&count, 0);
  all = getenv("FAULT_ALL") != NULL;
  report = getenv("FAULT_COUNT");
  if (getenv("FAULT_AT")) at = atol(getenv("FAULT_AT"));
}

__attribute__((destructor)) static void end(void) {
  const long n = atomic_load(&count);
  at = 0;
  FILE* f = report ? fopen(report, "a") : NULL;
  if (f) fprintf(f, "malloc %ld\n", n), fclose(f);
}

static int fails(void) {
  const long n = atomic_fetch_add_explicit(&count, 1, memory_order_relaxed) + 1;
  if (at == 0 || n < at || (n > at && !all)) return 0;
  errno = ENOMEM;
  return 1;
}

void* malloc(size_t n) { return fails() ? NULL : __libc_malloc(n); }
void* calloc(size_t n, size_t each) { return fails() ? NULL : __libc_calloc(n, each); }
void* realloc(void* p, size_t n) { return fails() ? NULL : __libc_realloc(p, n); }
void* memalign(size_t alignment, size_t n) { return fails() ? NULL : __libc_memalign(alignment, n); }
void* aligned_alloc(size_t alignment, size_t n) { return fails() ? NULL : __libc_memalign(alignment, n); }
int posix_memalign(void** out, size_t alignment, size_t n) {
  if (fails()) return ENOMEM;
  *out = __libc_memalign(alignment, n);
  return *out ? 0 : ENOMEM;
}
