// Runs commands N times with their output thrown away, one after the other in each round, so that a busy moment of the
// machine falls on all of them; prints for each the median CPU seconds, the median wall seconds and the highest peak
// memory in KiB.
//
//   measure N COMMAND… [-- COMMAND…]…
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int ascending(const void *a, const void *b) { return (*(double *)a > *(double *)b) - (*(double *)a < *(double *)b); }
static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec * 1e-9;
}
static double seconds(struct timeval t) { return t.tv_sec + t.tv_usec * 1e-6; }

enum { MOST = 16, RUNS = 99 };
static double cpu[MOST][RUNS], wall[MOST][RUNS];
static long peak[MOST];

static int run(char **command, double *cpu, double *wall, long *peak) {
  double start = now();
  pid_t child = vfork();
  if (child == 0) {
    int null = open("/dev/null", O_WRONLY);
    dup2(null, 1);
    dup2(null, 2);
    execvp(command[0], command);
    _exit(127);
  }
  struct rusage usage;
  int status;
  if (wait4(child, &status, 0, &usage) < 0 || !WIFEXITED(status) || WEXITSTATUS(status) == 127) return 1;
  *wall = now() - start;
  *cpu = seconds(usage.ru_utime) + seconds(usage.ru_stime);
  if (usage.ru_maxrss > *peak) *peak = usage.ru_maxrss;
  return 0;
}

int main(int argc, char **argv) {
  int runs = argc > 2 ? atoi(argv[1]) : 0, count = 0;
  char **commands[MOST];
  if (runs < 1 || runs > RUNS) return 2;
  for (int i = 2; i < argc && count < MOST; i++) {
    commands[count++] = argv + i;
    while (i < argc && strcmp(argv[i], "--")) i++;
    if (i < argc) argv[i] = NULL;
  }
  for (int i = 0; i < runs; i++)
    for (int c = 0; c < count; c++)
      if (run(commands[c], &cpu[c][i], &wall[c][i], &peak[c])) return fprintf(stderr, "%s failed\n", *commands[c]), 1;
  for (int c = 0; c < count; c++) {
    qsort(cpu[c], runs, sizeof **cpu, ascending);
    qsort(wall[c], runs, sizeof **wall, ascending);
    printf("%.6f %.6f %ld\n", cpu[c][runs / 2], wall[c][runs / 2], peak[c]);
  }
  return 0;
}
