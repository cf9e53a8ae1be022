// SPDX-License-Identifier: GPL-2.0-only
/*
 * A module that makes the kernel complain, or die, when it is loaded: to check
 * that the test machine detects it.
 */

#include <linux/module.h>
#include <linux/slab.h>

static char *how = "warn";
module_param(how, charp, 0444);
MODULE_PARM_DESC(how, "warn, oops, panic or leak");

static int __init splat_init(void)
{
	int i;

	if (!strcmp(how, "panic"))
		panic("splat: as asked");
	if (!strcmp(how, "oops"))
		WRITE_ONCE(*(int *)8, 0);
	/* several: a copy of the last pointer may remain on a stack */
	for (i = 0; i < 8 && !strcmp(how, "leak"); i++)
		memset(kmalloc(4000, GFP_KERNEL), 0x5a, 4000);
	if (!strcmp(how, "warn"))
		WARN(1, "splat: as asked\n");
	return 0;
}
module_init(splat_init);

static void __exit splat_exit(void)
{
}
module_exit(splat_exit);

MODULE_DESCRIPTION("Kernel complaints on request");
MODULE_LICENSE("GPL");
