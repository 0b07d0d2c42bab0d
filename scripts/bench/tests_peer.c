// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
// The peer of `ciliate test`: loads each object with plain libbpf, one after the other, everything that is in it and at
// the sizes it asks for, as a straightforward runner does. Programs are not run: loading is what takes the time.
//
// An object needs three changes before libbpf takes it: functions in program sections become global, pinning is not
// asked for, and program types are set by the section's name.
#define _GNU_SOURCE
#include <bpf/libbpf.h>
#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static int silent(enum libbpf_print_level level, const char *format, va_list arguments)
{
	(void)level, (void)format, (void)arguments;
	return 0;
}

static int starts(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

static void prepare(char *image)
{
	Elf64_Ehdr *header = (void *)image;
	Elf64_Shdr *sections = (void *)(image + header->e_shoff);
	const char *names = image + sections[header->e_shstrndx].sh_offset;

	for (int i = 0; i < header->e_shnum; i++) {
		char *start = image + sections[i].sh_offset;
		size_t size = sections[i].sh_size;

		if (sections[i].sh_type == SHT_SYMTAB) {
			for (Elf64_Sym *s = (void *)start; (char *)s < start + size; s++) {
				const char *in = s->st_shndx < header->e_shnum ? names + sections[s->st_shndx].sh_name : "";

				if (ELF64_ST_TYPE(s->st_info) == STT_FUNC && strcmp(in, ".text"))
					s->st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC);
			}
		} else if (!strcmp(names + sections[i].sh_name, ".BTF")) {
			for (char *p = start; (p = memmem(p, start + size - p, "\0pinning", 9)); p++)
				p[1] = 'P';
		}
	}
}

static int load(const char *path)
{
	LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = "peer", .relaxed_maps = true);
	struct bpf_program *program;
	struct bpf_object *object;
	struct stat info;
	int file = open(path, O_RDONLY), result;
	char *image;

	if (file < 0 || fstat(file, &info) < 0)
		return -1;
	image = malloc(info.st_size);
	if (read(file, image, info.st_size) != info.st_size)
		return -1;
	close(file);
	prepare(image);
	object = bpf_object__open_mem(image, info.st_size, &options);
	free(image);
	if (!object)
		return -1;
	bpf_object__for_each_program(program, object) {
		const char *section = bpf_program__section_name(program);

		if (starts(section, "tc"))
			bpf_program__set_type(program, BPF_PROG_TYPE_SCHED_CLS);
		else if (starts(section, "xdp"))
			bpf_program__set_type(program, BPF_PROG_TYPE_XDP);
		else
			bpf_program__set_autoload(program, false);
	}
	result = bpf_object__load(object);
	bpf_object__close(object);
	return result;
}

int main(int count, char **paths)
{
	int refused = 0;
	double start = now();

	libbpf_set_print(silent);
	for (int i = 1; i < count; i++) {
		if (load(paths[i]) < 0) {
			fprintf(stderr, "peer: libbpf refuses %s\n", paths[i]);
			refused++;
		}
	}
	printf("%d %d %.3f\n", count - 1, refused, now() - start);
	return 0;
}
