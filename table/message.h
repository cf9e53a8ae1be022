/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A message to a mapped device, parsed.
 */
#ifndef _XC_MESSAGE_H
#define _XC_MESSAGE_H

#include "options.h"

/**
 * enum xc_action - the action of a message
 * @XC_STATS: print the histograms
 * @XC_KEY_SET: take a key
 * @XC_KEY_WIPE: forget the key, and with a conversion both
 * @XC_REKEY_KEY_SET: take the new key of a conversion
 * @XC_REKEY_PAUSE: stop to convert
 * @XC_REKEY_CONTINUE: convert, after a pause or an error
 * @XC_REKEY_SKIP: the same, and skip sectors that cannot be read
 * @XC_REKEY_SPEED: limit the speed of a conversion
 */
enum xc_action {
	XC_STATS,
	XC_KEY_SET,
	XC_KEY_WIPE,
	XC_REKEY_KEY_SET,
	XC_REKEY_PAUSE,
	XC_REKEY_CONTINUE,
	XC_REKEY_SKIP,
	XC_REKEY_SPEED,
};

/**
 * struct xc_message - a message, parsed
 * @action: its action
 * @key: the key argument, one of the message's words; NULL if there is none
 * @speed: the limit in KiB/s; 0: none; or %XC_SPEED_AUTO
 */
struct xc_message {
	enum xc_action action;
	const char *key;
	unsigned int speed;
};

int xc_message_parse(struct xc_message *message, unsigned int argc,
		     char **argv, char **error);

#endif
