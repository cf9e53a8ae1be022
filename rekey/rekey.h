/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Changing the key of a volume in use.
 */
#ifndef _XC_REKEY_H
#define _XC_REKEY_H

#include "../table/options.h"

struct dm_dev;
struct dm_target;
struct xc_cipher;
struct xc_gate;
struct xc_rekey;

/**
 * struct xc_rekey_setup - what a table line says of a conversion
 * @old: the cipher of the line, with its key
 * @new: the new cipher, with its key
 * @lower: the underlying device
 * @start: first sector used on it
 * @state: path or number of the state device
 * @begin: the conversion begins, rather than continues
 * @paused: it does not convert before it is told to
 * @sparse: it does not convert zeros of the underlying device
 * @resilience: how a power cut is to be survived
 * @converted: called when all is converted and no bio uses @old any more; in process
 *	context, without locks
 */
struct xc_rekey_setup {
	struct xc_cipher *old;
	struct xc_cipher *new;
	struct dm_dev *lower;
	sector_t start;
	const char *state;
	bool begin;
	bool paused;
	bool sparse;
	enum xc_resilience_choice resilience;
	void (*converted)(struct dm_target *ti);
};

struct xc_rekey *xc_rekey_create(struct dm_target *ti,
				 const struct xc_rekey_setup *setup,
				 char **error);
void xc_rekey_destroy(struct xc_rekey *rekey);
struct xc_gate *xc_rekey_gate(struct xc_rekey *rekey);

int xc_rekey_preresume(struct xc_rekey *rekey, char **error);
void xc_rekey_resume(struct xc_rekey *rekey);
void xc_rekey_suspend(struct xc_rekey *rekey);
void xc_rekey_postsuspend(struct xc_rekey *rekey);

void xc_rekey_sleep(void);
void xc_rekey_wake(void);
void xc_rekey_close(void);
void xc_rekey_distrust(void);
void xc_rekey_reopen(void);

void xc_rekey_pause(struct xc_rekey *rekey);
void xc_rekey_continue(struct xc_rekey *rekey, bool skip);
void xc_rekey_set_speed(struct xc_rekey *rekey, unsigned int speed);

bool xc_rekey_is_done(const struct xc_rekey *rekey);
bool xc_rekey_same_state(const struct xc_rekey *a, const struct xc_rekey *b);
int xc_rekey_check_key(struct xc_rekey *rekey, bool new, const u8 *key,
		       char **error);
const char *xc_rekey_state_name(const struct xc_rekey *rekey);
unsigned int xc_rekey_print(const struct xc_rekey *rekey, char *result,
			    unsigned int maxlen);

#endif
