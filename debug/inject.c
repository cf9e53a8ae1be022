// SPDX-License-Identifier: GPL-2.0-only
/*
 * Injection points for the tests: files in debugfs, as described in
 * Documentation/fault-injection/fault-injection.rst.  fail_xcrypt fails
 * non-blocking allocations.  fail_xcrypt_tags fails blocking allocations that
 * have no mempool.  fail_xcrypt/rekey_batch_sectors makes the batches of new
 * conversions that short, so that small volumes have many.
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
static u32 rekey_batch_sectors;

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
 * xc_inject_batch_sectors() - choose the length of batches
 * @sectors: the length without this
 *
 * Context: Any context.
 * Return: the length in 512-byte sectors, at most @sectors.
 */
unsigned int xc_inject_batch_sectors(unsigned int sectors)
{
	return min(READ_ONCE(rekey_batch_sectors) ?: sectors, sectors);
}

/**
 * xc_inject_init() - create the injection points in debugfs
 *
 * Context: Process context, in the module's init.  May sleep.
 */
void __init xc_inject_init(void)
{
	dir = fault_create_debugfs_attr("fail_xcrypt", NULL, &fail_xcrypt);
	debugfs_create_u32("rekey_batch_sectors", 0600, dir,
			   &rekey_batch_sectors);
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
