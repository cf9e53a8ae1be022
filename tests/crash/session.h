/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sessions: a volume from power on to its end.
 */
#ifndef _XC_CRASH_SESSION_H
#define _XC_CRASH_SESSION_H

#include "log.h"
#include "oracle.h"
#include "random.h"
#include "volume.h"

/**
 * struct session - what happens
 * @seed: decides the rest
 * @geometry: what the conversion is
 * @length: length of the volume in its first table
 * @recover_only: the conversion is paused, and only recovers
 * @to_the_end: it converts all; otherwise it stops when the users do
 * @events: how often it is paused, suspended and so on
 * @bios: bios from users
 * @faults: bios that the devices fail
 * @bad: sectors that cannot be read, a bit for each; the conversion skips them
 */
struct session {
	u64 seed;
	struct geometry geometry;
	unsigned int length;
	bool recover_only;
	bool to_the_end;
	unsigned int events;
	unsigned int bios;
	unsigned int faults;
	u64 bad;
};

/* A length that the volume may have next: mostly the one that it has. */
unsigned int session_choose_length(struct random *random,
				   const struct image *image,
				   const struct geometry *geometry);
/* All sectors under the old key, and a blank state device. */
void session_format(struct image *image, const struct geometry *geometry);
/* Power on: nothing is running, and the devices hold @image. */
void session_power_on(const struct session *session, const struct image *image,
		      const struct oracle *oracle, struct log *log);
/* @log: set to what happened.  A finding ends the program. */
void session_run(const struct session *session, const struct image *image,
		 const struct oracle *oracle, struct log *log);

#endif
