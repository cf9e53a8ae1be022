/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A message to a mapped device, parsed.
 */
#ifndef _XC_MESSAGE_H
#define _XC_MESSAGE_H

#include "../dm-xcrypt.h"

/**
 * enum xc_action - the action of a message
 * @XC_STATS: print the histograms
 * @XC_KEY_SET: take a key
 * @XC_KEY_WIPE: forget the key
 */
enum xc_action {
	XC_STATS,
	XC_KEY_SET,
	XC_KEY_WIPE,
};

/**
 * struct xc_message - a message, parsed
 * @action: its action
 * @key: the key argument, one of the message's words; NULL if there is none
 */
struct xc_message {
	enum xc_action action;
	const char *key;
};

int xc_message_parse(struct xc_message *message, unsigned int argc,
		     char **argv, char **error);

#endif
