/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tracepoints of a conversion; docs/observing.md explains them.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM xcrypt

#if !defined(_XC_REKEY_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _XC_REKEY_TRACE_H

#include <linux/kdev_t.h>
#include <linux/tracepoint.h>

/* One event for each step of a batch, when it ends. */
DECLARE_EVENT_CLASS(xcrypt_rekey,
	TP_PROTO(dev_t dev, sector_t sector, unsigned int sectors, int error),
	TP_ARGS(dev, sector, sectors, error),
	TP_STRUCT__entry(
		__field(dev_t, dev)
		__field(sector_t, sector)
		__field(unsigned int, sectors)
		__field(int, error)
	),
	TP_fast_assign(
		__entry->dev = dev;
		__entry->sector = sector;
		__entry->sectors = sectors;
		__entry->error = error;
	),
	TP_printk("%d,%d %llu + %u [%d]", MAJOR(__entry->dev),
		  MINOR(__entry->dev), (unsigned long long)__entry->sector,
		  __entry->sectors, __entry->error)
);

#define XC_REKEY_EVENT(name)						\
DEFINE_EVENT(xcrypt_rekey, name,					\
	TP_PROTO(dev_t dev, sector_t sector, unsigned int sectors,	\
		 int error),						\
	TP_ARGS(dev, sector, sectors, error))

XC_REKEY_EVENT(xcrypt_rekey_hold);
XC_REKEY_EVENT(xcrypt_rekey_prepare);
XC_REKEY_EVENT(xcrypt_rekey_commit);
XC_REKEY_EVENT(xcrypt_rekey_write);
XC_REKEY_EVENT(xcrypt_rekey_recover);

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
