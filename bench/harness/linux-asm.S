/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The macros of kernel headers that aesni-intel_asm.S needs, for user space; none of
 * them costs time.
 */
#define SYM_FUNC_START(name)		.globl name; .p2align 4; name:
#define SYM_FUNC_START_LOCAL(name)	.p2align 4; name:
#define SYM_FUNC_END(name)
#define SYM_FUNC_ALIAS_LOCAL(alias, name)	.set alias, name
#define FRAME_BEGIN
#define FRAME_END
#define RET				ret

	.section .note.GNU-stack, "", @progbits
	.text
