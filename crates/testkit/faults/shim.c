/*
 * Stands between a program and the calls by which its files change, and makes chosen ones fail.
 *
 * Loaded with LD_PRELOAD. What fails is said in a control file (FAULTS_CONTROL) that is mapped by this process and
 * written by the test, so faults begin and end while the program runs. The layout is that of src/faults.rs:
 *
 *     u64  kinds      bit set of enum kind: which calls count; 0 means none
 *     u64  error      errno to fail with; 0: only delay
 *     i64  skip       so many counting calls pass first
 *     i64  failures   so many then fail
 *     u64  torn       not 0: a failing write first writes half of what it was given
 *     u64  delay      microseconds each counting call takes longer
 *     u64  seen       counting calls so far
 *     u64  injected   failures so far
 *     char folder[512], part[256]   only paths below `folder` that contain `part` count
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum kind { WRITE = 1, SYNC = 2, TRUNCATE = 4, RENAME = 8, LINK = 16, OPEN = 32, REMOVE = 64 };

struct control {
    _Atomic uint64_t kinds, error;
    _Atomic int64_t skip, failures;
    _Atomic uint64_t torn, delay, seen, injected;
    char folder[512], part[256];
};

static struct control *control;

__attribute__((constructor)) static void start(void) {
    const char *path = getenv("FAULTS_CONTROL");
    if (!path) return;
    int (*real_open)(const char *, int, ...) = dlsym(RTLD_NEXT, "open");
    int fd = real_open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0) {
        fprintf(stderr, "faults: cannot open %s\n", path);
        abort();
    }
    void *map = mmap(NULL, sizeof(struct control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED) {
        fprintf(stderr, "faults: cannot map %s\n", path);
        abort();
    }
    control = map;
}

/* The errno a call on that path has to fail with, or 0. */
static int fault_of_path(enum kind kind, const char *path) {
    if (!control || !(atomic_load(&control->kinds) & kind) || !path) return 0;
    if (strncmp(path, control->folder, strlen(control->folder)) != 0) return 0;
    if (control->part[0] && !strstr(path, control->part)) return 0;
    atomic_fetch_add(&control->seen, 1);
    uint64_t delay = atomic_load(&control->delay);
    if (delay) usleep((useconds_t)delay);
    int error = (int)atomic_load(&control->error);
    if (!error || atomic_fetch_sub(&control->skip, 1) > 0) return 0;
    if (atomic_fetch_sub(&control->failures, 1) <= 0) return 0;
    atomic_fetch_add(&control->injected, 1);
    return error;
}

static int fault_of_file(enum kind kind, int fd) {
    if (!control || !(atomic_load(&control->kinds) & kind)) return 0;
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    int saved = errno;
    ssize_t length = readlink(link, path, sizeof path - 1);
    errno = saved;
    if (length < 0) return 0;
    path[length] = 0;
    return fault_of_path(kind, path);
}

/* Paths relative to a folder's descriptor or to the current folder, made whole. */
static int fault_of_path_at(enum kind kind, int folder, const char *path) {
    if (!control || !(atomic_load(&control->kinds) & kind) || !path) return 0;
    if (path[0] == '/') return fault_of_path(kind, path);
    char link[64], whole[PATH_MAX];
    snprintf(link, sizeof link, folder == AT_FDCWD ? "/proc/self/cwd" : "/proc/self/fd/%d", folder);
    int saved = errno;
    ssize_t length = readlink(link, whole, sizeof whole - 2);
    errno = saved;
    if (length < 0) return 0;
    snprintf(whole + length, sizeof whole - (size_t)length, "/%s", path);
    return fault_of_path(kind, whole);
}

#define REAL(result, name, ...) \
    static result (*real)(__VA_ARGS__); \
    if (!real) real = (result(*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name)

#define FAIL(error) do { errno = (error); return -1; } while (0)

static int tears(void) { return control && atomic_load(&control->torn); }

ssize_t write(int fd, const void *bytes, size_t count) {
    REAL(ssize_t, write, int, const void *, size_t);
    int error = fault_of_file(WRITE, fd);
    if (!error) return real(fd, bytes, count);
    if (tears() && real(fd, bytes, count / 2) < 0) return -1;
    FAIL(error);
}

#define POSITIONED_WRITE(name, offset_type) \
    ssize_t name(int fd, const void *bytes, size_t count, offset_type at) { \
        REAL(ssize_t, name, int, const void *, size_t, offset_type); \
        int error = fault_of_file(WRITE, fd); \
        if (!error) return real(fd, bytes, count, at); \
        if (tears() && real(fd, bytes, count / 2, at) < 0) return -1; \
        FAIL(error); \
    }
POSITIONED_WRITE(pwrite, off_t)
POSITIONED_WRITE(pwrite64, off64_t)

ssize_t writev(int fd, const struct iovec *parts, int count) {
    REAL(ssize_t, writev, int, const struct iovec *, int);
    int error = fault_of_file(WRITE, fd);
    if (error) FAIL(error);
    return real(fd, parts, count);
}

ssize_t copy_file_range(int from, off64_t *from_at, int to, off64_t *to_at, size_t count, unsigned flags) {
    REAL(ssize_t, copy_file_range, int, off64_t *, int, off64_t *, size_t, unsigned);
    int error = fault_of_file(WRITE, to);
    if (error) FAIL(error);
    return real(from, from_at, to, to_at, count, flags);
}

int fallocate(int fd, int mode, off_t at, off_t length) {
    REAL(int, fallocate, int, int, off_t, off_t);
    int error = fault_of_file(WRITE, fd);
    if (error) FAIL(error);
    return real(fd, mode, at, length);
}

#define ON_FILE(name, kind) \
    int name(int fd) { \
        REAL(int, name, int); \
        int error = fault_of_file(kind, fd); \
        if (error) FAIL(error); \
        return real(fd); \
    }
ON_FILE(fsync, SYNC)
ON_FILE(fdatasync, SYNC)

#define TRUNCATION(name, offset_type) \
    int name(int fd, offset_type length) { \
        REAL(int, name, int, offset_type); \
        int error = fault_of_file(TRUNCATE, fd); \
        if (error) FAIL(error); \
        return real(fd, length); \
    }
TRUNCATION(ftruncate, off_t)
TRUNCATION(ftruncate64, off64_t)

int rename(const char *from, const char *to) {
    REAL(int, rename, const char *, const char *);
    int error = fault_of_path_at(RENAME, AT_FDCWD, to);
    if (error) FAIL(error);
    return real(from, to);
}

int renameat(int from_folder, const char *from, int to_folder, const char *to) {
    REAL(int, renameat, int, const char *, int, const char *);
    int error = fault_of_path_at(RENAME, to_folder, to);
    if (error) FAIL(error);
    return real(from_folder, from, to_folder, to);
}

int link(const char *from, const char *to) {
    REAL(int, link, const char *, const char *);
    int error = fault_of_path_at(LINK, AT_FDCWD, to);
    if (error) FAIL(error);
    return real(from, to);
}

int linkat(int from_folder, const char *from, int to_folder, const char *to, int flags) {
    REAL(int, linkat, int, const char *, int, const char *, int);
    int error = fault_of_path_at(LINK, to_folder, to);
    if (error) FAIL(error);
    return real(from_folder, from, to_folder, to, flags);
}

int unlink(const char *path) {
    REAL(int, unlink, const char *);
    int error = fault_of_path_at(REMOVE, AT_FDCWD, path);
    if (error) FAIL(error);
    return real(path);
}

static int changes_files(int flags) { return (flags & (O_CREAT | O_WRONLY | O_RDWR)) != 0; }

#define OPENING(name) \
    int name(const char *path, int flags, ...) { \
        REAL(int, name, const char *, int, ...); \
        va_list rest; \
        va_start(rest, flags); \
        mode_t mode = (flags & (O_CREAT | O_TMPFILE)) ? va_arg(rest, mode_t) : 0; \
        va_end(rest); \
        int error = changes_files(flags) ? fault_of_path_at(OPEN, AT_FDCWD, path) : 0; \
        if (error) FAIL(error); \
        return real(path, flags, mode); \
    }
OPENING(open)
OPENING(open64)

#define OPENING_AT(name) \
    int name(int folder, const char *path, int flags, ...) { \
        REAL(int, name, int, const char *, int, ...); \
        va_list rest; \
        va_start(rest, flags); \
        mode_t mode = (flags & (O_CREAT | O_TMPFILE)) ? va_arg(rest, mode_t) : 0; \
        va_end(rest); \
        int error = changes_files(flags) ? fault_of_path_at(OPEN, folder, path) : 0; \
        if (error) FAIL(error); \
        return real(folder, path, flags, mode); \
    }
OPENING_AT(openat)
OPENING_AT(openat64)
