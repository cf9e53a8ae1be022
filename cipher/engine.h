/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Engines: ways to process sectors with a cipher.
 */
#ifndef _XC_ENGINE_H
#define _XC_ENGINE_H

#include "../table/options.h"

struct xc_cipher;
struct xc_run;
struct xc_spec;

/**
 * enum xc_result - how far a run got
 * @XC_RUN_DONE: to its end; see xc_run.status
 * @XC_RUN_PENDING: the driver has all of it; it calls xc_run.done()
 * @XC_RUN_AGAIN: it must wait; call again from a context that may sleep
 */
enum xc_result {
	XC_RUN_DONE,
	XC_RUN_PENDING,
	XC_RUN_AGAIN,
};

/**
 * struct xc_engine - an engine
 * @choice: its word in a table line and in the status
 * @inline_softirq: longest bio, in bytes, to be encrypted in softirq context;
 *	longer ones would delay others too much
 * @inline_task: the same for process context
 * @fits: check whether the engine supports a cipher; sets the error message of
 *	the table line if not
 * @create: allocate xc_cipher.engine_data; may sleep.  destroy() is called
 *	after a failure too.
 * @destroy: undo create(); may sleep
 * @set_key: (optional) take the key, which the crypto API has accepted; may
 *	sleep
 * @wipe: (optional) forget the key; may sleep
 * @request_size: bytes that a run needs at xc_run.own
 * @run: process a run as far as possible.  Sleeps only with @may_sleep;
 *	without it, softirq context is allowed.
 * @divisible: (optional) check whether parts of a run may be processed
 *	concurrently in the present context, and none can become pending
 */
struct xc_engine {
	enum xc_engine_choice choice;
	unsigned int inline_softirq;
	unsigned int inline_task;
	bool (*fits)(const struct xc_cipher *cipher, const struct xc_spec *spec,
		     char **error);
	int (*create)(struct xc_cipher *cipher);
	void (*destroy)(struct xc_cipher *cipher);
	void (*set_key)(struct xc_cipher *cipher, const u8 *key);
	void (*wipe)(struct xc_cipher *cipher);
	unsigned int (*request_size)(const struct xc_cipher *cipher);
	enum xc_result (*run)(struct xc_run *run, bool may_sleep);
	bool (*divisible)(void);
};

#endif
