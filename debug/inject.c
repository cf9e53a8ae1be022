// SPDX-License-Identifier: GPL-2.0-only
/*
 * Injection points for the tests: files in debugfs, as described in
 * Documentation/fault-injection/fault-injection.rst.  fail_xcrypt fails
 * non-blocking allocations.  fail_xcrypt_tags fails blocking allocations that
 * have no mempool.
 *
 * The fail-nth of a task does not reach workers and completions, and a failslab
 * with enough probability breaks the rest of the kernel first.  Only in builds
 * with XCRYPT_DEBUG=1.
 */
#include "inject.h"

#include <linux/debugfs.h>
#include <linux/fault-inject.h>
#include <linux/gfp.h>

static DECLARE_FAULT_ATTR(fail_xcrypt);
static DECLARE_FAULT_ATTR(fail_xcrypt_tags);
static struct dentry *dir, *tags_dir;

/**
 * xc_inject_failure() - decide whether an allocation fails
 * @gfp: flags of the allocation; one that may wait never fails
 *
 * Context: Any context.
 * Return: true if the allocation must fail.
 */
bool xc_inject_failure(gfp_t gfp)
{
	return !gfpflags_allow_blocking(gfp) && should_fail(&fail_xcrypt, 1);
}

/**
 * xc_inject_tags_failure() - decide whether attaching a bio's tags fails
 *
 * Context: Any context.
 * Return: true if attaching must fail.
 */
bool xc_inject_tags_failure(void)
{
	return should_fail(&fail_xcrypt_tags, 1);
}

/**
 * xc_inject_init() - create the injection points in debugfs
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
