// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stand-ins for the kernel functions that table/ and stats/ need.
 *
 * They accept what the kernel's functions accept, where the C library's differ.
 */
#include <stdarg.h>
#include <stdlib.h>

#include "kernel.h"

bool kernel_scan_saturates;
unsigned int kernel_cpu;
char kernel_log[1 << 16];
static size_t log_used;

long strscpy(char *to, const char *from, size_t size)
{
	size_t len = strnlen(from, size);
	bool fits = len < size;

	if (!size)
		return -E2BIG;
	if (!fits)
		len = size - 1;
	memcpy(to, from, len);
	to[len] = '\0';
	return fits ? (long)len : -E2BIG;
}

/*
 * Decimal digits, parsed like the kernel's simple_strtoull() and kstrtoull().
 * With too many digits, @overflow is set, and the value wraps (Linux 6.1) or is
 * the largest one (Linux 7.3).
 */
static u64 digits(const char **s, bool *overflow)
{
	u64 value = 0;

	*overflow = false;
	for (; isdigit(**s); (*s)++) {
		unsigned int digit = **s - '0';

		if (value > (ULLONG_MAX - digit) / 10)
			*overflow = true;
		value = value * 10 + digit;
	}
	return *overflow && kernel_scan_saturates ? ULLONG_MAX : value;
}

char *skip_spaces(const char *s)
{
	while (isspace(*s))
		s++;
	return (char *)s;
}

int kstrtoull(const char *s, unsigned int base, unsigned long long *value)
{
	bool overflow;
	u64 number;

	if (base != 10)
		abort();
	if (*s == '+')
		s++;
	if (!isdigit(*s))
		return -EINVAL;
	number = digits(&s, &overflow);
	if (overflow)
		return -ERANGE;
	if (*s == '\n')
		s++;
	if (*s)
		return -EINVAL;
	*value = number;
	return 0;
}

int kstrtouint(const char *s, unsigned int base, unsigned int *value)
{
	unsigned long long number;
	int err = kstrtoull(s, base, &number);

	if (err)
		return err;
	if (number > UINT_MAX)
		return -ERANGE;
	*value = number;
	return 0;
}

/*
 * The kernel's sscanf() with %u, %hu, %llu and %c.  Unlike the C library's, it
 * accepts no sign, stores the low bits of a number that is too large for the
 * variable, and does not return EOF at the end of the string.
 */
int kernel_sscanf(const char *string, const char *format, ...)
{
	enum { SHORT, INT, LONG_LONG } size;
	int found = 0;
	bool overflow;
	va_list args;
	u64 value;

	va_start(args, format);
	for (; *format; format++) {
		if (isspace(*format))
			abort();	/* not needed so far */
		if (*format != '%') {
			if (*format != *string++)
				break;
			continue;
		}
		format++;
		size = INT;
		if (*format == 'h') {
			size = SHORT;
			format++;
		} else if (!strncmp(format, "ll", 2)) {
			size = LONG_LONG;
			format += 2;
		}
		if (!*string)
			break;
		if (*format == 'c' && size == INT) {
			*va_arg(args, char *) = *string++;
			found++;
			continue;
		}
		if (*format != 'u')
			abort();	/* not needed so far */

		while (isspace(*string))
			string++;
		if (!isdigit(*string))
			break;
		value = digits(&string, &overflow);
		if (size == SHORT)
			*va_arg(args, unsigned short *) = (unsigned short)value;
		else if (size == INT)
			*va_arg(args, unsigned int *) = (unsigned int)value;
		else
			*va_arg(args, unsigned long long *) = value;
		found++;
	}
	va_end(args);
	return found;
}

int scnprintf(char *buf, size_t size, const char *format, ...)
{
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(buf, size, format, args);
	va_end(args);
	if (!size)
		return 0;
	return len < (int)size ? len : (int)size - 1;
}

void kernel_log_clear(void)
{
	log_used = 0;
	kernel_log[0] = '\0';
}

void kernel_printk(const char *format, ...)
{
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(kernel_log + log_used, sizeof(kernel_log) - log_used,
			format, args);
	va_end(args);
	log_used += len;
	if (log_used >= sizeof(kernel_log))
		abort();	/* more than the messages on one table line */
}

const char *dm_shift_arg(struct dm_arg_set *args)
{
	if (!args->argc)
		return NULL;
	args->argc--;
	return *args->argv++;
}

/* The number of words, and that many words must follow. */
int dm_read_arg_group(const struct dm_arg *arg, struct dm_arg_set *args,
		      unsigned int *count, char **error)
{
	const char *word = dm_shift_arg(args);
	char dummy;

	if (!word || kernel_sscanf(word, "%u%c", count, &dummy) != 1 ||
	    *count < arg->min || *count > arg->max || *count > args->argc) {
		*error = arg->error;
		return -EINVAL;
	}
	return 0;
}
