// SPDX-License-Identifier: GPL-2.0-only
/*
 * An injection point for the tests: what is asked for without waiting is not
 * there, as often as fail_xcrypt in debugfs says
 * (Documentation/fault-injection/fault-injection.rst).
 *
 * Workers and completions cannot be reached by the fail-nth of a task, and when
 * failslab makes all of the kernel fail as often as one would like, other
 * things break first.  Only in builds with XCRYPT_DEBUG=1.
 */
#include <linux/debugfs.h>
#include <linux/fault-inject.h>

#include "../dm-xcrypt.h"

static DECLARE_FAULT_ATTR(fail_xcrypt);
static struct dentry *dir;

/**
 * xc_inject_failure() - is an allocation to fail?
 * @gfp: how it is asked for; one that may wait never fails
 *
 * Context: Any context.
 * Return: true if it is to fail.
 */
bool xc_inject_failure(gfp_t gfp)
{
	return !gfpflags_allow_blocking(gfp) && should_fail(&fail_xcrypt, 1);
}

/**
 * xc_inject_init() - make the injection point known in debugfs
 *
 * Context: Process context, in the module's init.  May sleep.
 */
void __init xc_inject_init(void)
{
	dir = fault_create_debugfs_attr("fail_xcrypt", NULL, &fail_xcrypt);
}

/**
 * xc_inject_exit() - undo xc_inject_init()
 *
 * Context: Process context.  May sleep.
 */
void xc_inject_exit(void)
{
	debugfs_remove(dir);
}
