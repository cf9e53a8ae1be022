// SPDX-License-Identifier: GPL-2.0-only
/*
 * Injection points for the tests (files in debugfs, as described in
 * Documentation/fault-injection/fault-injection.rst).  fail_xcrypt: what is
 * asked for without waiting is not there.  fail_xcrypt_tags: what is not there
 * even for who waits, because no pool stands behind it.
 *
 * Workers and completions cannot be reached by the fail-nth of a task, and when
 * failslab makes all of the kernel fail as often as one would like, other
 * things break first.  Only in builds with XCRYPT_DEBUG=1.
 */
#include <linux/debugfs.h>
#include <linux/fault-inject.h>

#include "../dm-xcrypt.h"

static DECLARE_FAULT_ATTR(fail_xcrypt);
static DECLARE_FAULT_ATTR(fail_xcrypt_tags);
static struct dentry *dir, *tags_dir;

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
 * xc_inject_tags_failure() - is a bio to get no integrity payload?
 *
 * Context: Any context.
 * Return: true if it is to get none.
 */
bool xc_inject_tags_failure(void)
{
	return should_fail(&fail_xcrypt_tags, 1);
}

/**
 * xc_inject_init() - make the injection points known in debugfs
 *
 * Context: Process context, in the module's init.  May sleep.
 */
void __init xc_inject_init(void)
{
	dir = fault_create_debugfs_attr("fail_xcrypt", NULL, &fail_xcrypt);
	tags_dir = fault_create_debugfs_attr("fail_xcrypt_tags", NULL,
					     &fail_xcrypt_tags);
}

/**
 * xc_inject_exit() - undo xc_inject_init()
 *
 * Context: Process context.  May sleep.
 */
void xc_inject_exit(void)
{
	debugfs_remove(tags_dir);
	debugfs_remove(dir);
}
