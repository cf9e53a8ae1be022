/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tracepoints; docs/observing.md explains them.  None of them ever shows key
 * material.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM xcrypt

#if !defined(_XC_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _XC_TRACE_H

#include <linux/kdev_t.h>
#include <linux/tracepoint.h>

#include "io.h"

/* Every event of a bio has these. */
#define XC_IO_FIELDS							\
	__field(dev_t, dev)						\
	__field(char, rw)						\
	__field(sector_t, sector)					\
	__field(unsigned int, sectors)

#define XC_IO_ASSIGN(io)						\
	__entry->dev = bio_dev((io)->base);				\
	__entry->rw = bio_data_dir((io)->base) == WRITE ? 'W' : 'R';	\
	__entry->sector = (io)->sector;					\
	__entry->sectors = bio_sectors((io)->base)

#define XC_IO_FORMAT "%d,%d %c %llu + %u"

#define XC_IO_VALUES							\
	MAJOR(__entry->dev), MINOR(__entry->dev), __entry->rw,		\
	(unsigned long long)__entry->sector, __entry->sectors

TRACE_EVENT(xcrypt_map,
	TP_PROTO(const struct xc_io *io),
	TP_ARGS(io),
	TP_STRUCT__entry(XC_IO_FIELDS),
	TP_fast_assign(
		XC_IO_ASSIGN(io);
	),
	TP_printk(XC_IO_FORMAT, XC_IO_VALUES)
);

TRACE_EVENT(xcrypt_queue,
	TP_PROTO(const struct xc_io *io, const char *queue),
	TP_ARGS(io, queue),
	TP_STRUCT__entry(
		XC_IO_FIELDS
		__array(char, queue, 8)
	),
	TP_fast_assign(
		XC_IO_ASSIGN(io);
		strscpy(__entry->queue, queue, sizeof(__entry->queue));
	),
	TP_printk(XC_IO_FORMAT " %s", XC_IO_VALUES, __entry->queue)
);

/* One event for each phase entered or left. */
DECLARE_EVENT_CLASS(xcrypt_phase,
	TP_PROTO(const struct xc_io *io, enum xc_phase phase),
	TP_ARGS(io, phase),
	TP_STRUCT__entry(XC_IO_FIELDS),
	TP_fast_assign(
		XC_IO_ASSIGN(io);
	),
	TP_printk(XC_IO_FORMAT, XC_IO_VALUES)
);

#define XC_PHASE_EVENT(name, which)					\
DEFINE_EVENT_CONDITION(xcrypt_phase, name,				\
	TP_PROTO(const struct xc_io *io, enum xc_phase phase),		\
	TP_ARGS(io, phase),						\
	TP_CONDITION(phase == (which)))

XC_PHASE_EVENT(xcrypt_dequeue, XC_WAIT);
XC_PHASE_EVENT(xcrypt_cipher_begin, XC_CIPHER);
XC_PHASE_EVENT(xcrypt_cipher_end, XC_CIPHER);
XC_PHASE_EVENT(xcrypt_lower_submit, XC_DEVICE);
XC_PHASE_EVENT(xcrypt_lower_done, XC_DEVICE);

TRACE_EVENT(xcrypt_end,
	TP_PROTO(const struct xc_io *io, blk_status_t status),
	TP_ARGS(io, status),
	TP_STRUCT__entry(
		XC_IO_FIELDS
		__field(int, error)
	),
	TP_fast_assign(
		XC_IO_ASSIGN(io);
		__entry->error = blk_status_to_errno(status);
	),
	TP_printk(XC_IO_FORMAT " [%d]", XC_IO_VALUES, __entry->error)
);

DECLARE_EVENT_CLASS(xcrypt_key,
	TP_PROTO(dev_t dev, int error),
	TP_ARGS(dev, error),
	TP_STRUCT__entry(
		__field(dev_t, dev)
		__field(int, error)
	),
	TP_fast_assign(
		__entry->dev = dev;
		__entry->error = error;
	),
	TP_printk("%d,%d [%d]", MAJOR(__entry->dev), MINOR(__entry->dev),
		  __entry->error)
);

DEFINE_EVENT(xcrypt_key, xcrypt_key_set,
	TP_PROTO(dev_t dev, int error),
	TP_ARGS(dev, error)
);

DEFINE_EVENT(xcrypt_key, xcrypt_key_wipe,
	TP_PROTO(dev_t dev, int error),
	TP_ARGS(dev, error)
);

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
