// SPDX-License-Identifier: GPL-2.0-only
/*
 * The code under test.  dm-xcrypt.ko exports nothing, so the code is also
 * compiled into the tests' module.
 */
#include "../../compat/md5.c"
#include "../../iv/benbi.c"
#include "../../iv/eboiv.c"
#include "../../iv/elephant.c"
#include "../../iv/essiv.c"
#include "../../iv/find.c"
#include "../../iv/lmk.c"
#include "../../iv/null.c"
#include "../../iv/plain.c"
#include "../../iv/plain64.c"
#include "../../iv/plain64be.c"
#include "../../iv/random.c"
#include "../../iv/tcw.c"
#include "../../key/key.c"
#include "../../stats/histogram.c"
#include "../../table/log.c"
#include "../../table/message.c"
#include "../../table/print.c"
#include "../../table/spec.c"
#include "../../table/table.c"
#include "../../table/words.c"
#include "../../volume/table.c"

/* These volumes have no conversion. */
bool xc_rekey_is_done(const struct xc_rekey *rekey)
{
	return false;
}

const char *xc_rekey_state_name(const struct xc_rekey *rekey)
{
	return NULL;
}
