/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A volume's workqueues.
 */
#ifndef _XC_QUEUE_H
#define _XC_QUEUE_H

#include <linux/workqueue.h>

struct xc_device;
struct xc_io;

int xc_queues_init(struct xc_device *dev, const char *name, char **error);
void xc_queues_exit(struct xc_device *dev);
bool xc_runs_inline(const struct xc_io *io);
void xc_queue_crypt(struct xc_io *io, work_func_t fn);
void xc_queue_memory(struct xc_io *io, work_func_t fn);
void xc_queue_submit(struct xc_io *io, work_func_t fn);
void xc_queue_bh(struct xc_io *io, work_func_t fn);
struct xc_io *xc_dequeue(struct work_struct *work);
void xc_submit(struct xc_io *io);

#endif
