// SPDX-License-Identifier: GPL-2.0-only
/*
 * Conversions while the system sleeps.
 *
 * Converters stop before user space is frozen, until it runs again: an image has
 * the memory of a durable point, and no converter writes while devices sleep.  A
 * freezable workqueue would not do, as it waits for the end of its work, which is that
 * of the conversion.  The gates go on serving: the image is written through
 * them.
 *
 * When an image is restored, another kernel has used the devices meanwhile.  So that no
 * bio is mapped by the memory of the image, its gates are closed: they close before
 * the snapshot (freeze), and open again after it, to write the image.  In the
 * restored system (restore) they open when the states were compared.  They are read
 * when all devices are resumed (complete), as the device of this driver need not be the
 * last.  Notifiers would be called too late, after tasks are thawed.
 */
#include "sleep.h"

#include <linux/err.h>
#include <linux/notifier.h>
#include <linux/platform_device.h>
#include <linux/pm.h>
#include <linux/suspend.h>

#include "rekey.h"
#include "../dm-xcrypt.h"

static int notify(struct notifier_block *nb, unsigned long event, void *data)
{
	switch (event) {
	case PM_HIBERNATION_PREPARE:
	case PM_SUSPEND_PREPARE:
	case PM_RESTORE_PREPARE:
		xc_rekey_sleep();
		break;
	case PM_POST_HIBERNATION:
	case PM_POST_SUSPEND:
	case PM_POST_RESTORE:
		xc_rekey_wake();
		break;
	}
	return NOTIFY_DONE;
}

static struct notifier_block notifier = { .notifier_call = notify };

static int freeze(struct device *dev)
{
	xc_rekey_close();
	return 0;
}

static int restore(struct device *dev)
{
	xc_rekey_distrust();
	return 0;
}

/*
 * After any sleep, and after the snapshot.  The states are read in workqueues: user
 * space, which is still frozen, may be needed to reach a state device.
 */
static void complete_sleep(struct device *dev)
{
	xc_rekey_reopen();
}

static const struct dev_pm_ops pm_ops = {
	.freeze = freeze,
	.restore = restore,
	.complete = complete_sleep,
};

/* A device of this driver is there for its callbacks. */
static int probe(struct platform_device *pdev)
{
	return 0;
}

static struct platform_driver driver = {
	.probe = probe,
	.driver = {
		.name = "dm-xcrypt",
		.pm = &pm_ops,
		.suppress_bind_attrs = true,
	},
};

static struct platform_device *device;

/**
 * xc_sleep_init() - take part in the sleep of the system
 *
 * Context: Process context, when the module is loaded.  May sleep.
 * Return: 0, or a negative errno.
 */
int xc_sleep_init(void)
{
	int err = platform_driver_register(&driver);

	if (err)
		return err;
	device = platform_device_register_simple("dm-xcrypt",
						 PLATFORM_DEVID_NONE, NULL, 0);
	err = PTR_ERR_OR_ZERO(device);
	if (err)
		goto unregister_driver;
	err = register_pm_notifier(&notifier);
	if (!err)
		return 0;

	platform_device_unregister(device);
unregister_driver:
	platform_driver_unregister(&driver);
	return err;
}

/**
 * xc_sleep_exit() - undo xc_sleep_init()
 *
 * Context: Process context, when the module is unloaded.  May sleep.
 */
void xc_sleep_exit(void)
{
	unregister_pm_notifier(&notifier);
	platform_device_unregister(device);
	platform_driver_unregister(&driver);
}
