// SPDX-License-Identifier: GPL-2.0-only
/*
 * Changing the key of a mounted volume, with RESILIENCE checksum or journal: converter and
 * recovery, with a reader, a writer, power cuts and warm crashes.  tests/model/run explains
 * what is printed.
 *
 * The model is smaller than the code:
 * - A batch is two sectors, and each sector is a unit and a chunk.
 * - Plaintext is the number of the write that it comes from, ciphertext this number and a
 *   key.  A digest matches only the ciphertext that it was computed from.
 * - With a journal, a cut may tear a sector of the data: with halves under two keys it is
 *   garbage.  With one key, each half is as if the sector were lost, or kept.  A torn area
 *   matches its check value no more than one that is lost.
 * - The numbers of writes, pauses and crashes are bounded; their moments are not.
 * - One sector, any, is read and written.  Bios to the others could only make the converter
 *   wait, and it may take any time here.
 * - A table line that is refused has no effect, and is not a step.
 */

#define BATCHES		3
#define SECTORS		6
#define START(batch)	((batch) * 2)
#define END(batch)	((batch) * 2 + 2)

/* Each of these can be removed.  The last one is an assumption of checksum. */
mtype:cure = {
	none,
	writes_held, writes_drained, reads_held, reads_drained, prepared_again,
	writes_wait_for_batch, writes_wait_for_commit,
	flush_before_digests, flush_before_retiring, flush_of_area, commit_fua, two_areas,
	opening_flushes_data, opening_flushes_state,
	recovery_flushes, recovery_flushes_always, recovery_gated, recovery_of_active,
	start_fua, blank_refused, valid_refused, damage_refused, area_checked, whole_units
};
#define cured(cure)	(cure != REMOVED && cure != REMOVED_TOO)

#define when(condition, step)	if :: condition -> step :: else fi

/* flushed: flushed data are never lost; reads: a read never sees garbage */
mtype:property = { any, flushed, reads, finishes };
#define promise(property, holds) \
	when((PROPERTY == any || PROPERTY == property) && !(holds), printf("broken\n"); assert(false))

/*
 * Both devices, in one array: the sectors of the data device, two slots for superblocks,
 * two areas of two sectors.  A read returns what is cached.  What was written is durable
 * after the next flush, and may be at any time before, sector by sector.
 */
#define SLOT(sequence)	(SECTORS + (sequence) % 2)
#define AREA(batch)	(SECTORS + 2 + (batch) % 2 * cured(two_areas) * 2)
#define DISK		(SECTORS + 6)

int cached[DISK], durable[DISK];

mtype = { checksum, journal, data, state, old, new, garbage };
#define DEVICE(sector)	(sector < SECTORS -> data : state)
#define OFFSET(sector)	(sector < SECTORS -> sector : sector - SECTORS)

/* What a sector contains is a number.  0 is blank, and the first plaintext. */
#define CIPHERTEXT(plaintext, key)	((plaintext) * 2 + (key == new))
#define PLAINTEXT(content)		((content) / 2)
#define KEY(content) \
	((content) == GARBAGE -> garbage : ((content) % 2 -> new : old))
#define GARBAGE				63

/* In an area: the digest of an old sector, or with a journal the new sector itself */
#define RECORD(sector, content)		(1 + (sector) * 8 + (content))
#define RECORDED(plaintext)		CIPHERTEXT(plaintext, (RESILIENCE == journal -> new : old))
#define JOURNALED(sector, record) \
	(((record) - 1) / 8 != (sector) -> GARBAGE : (record) - RECORD(sector, 0))
#define CHECKSUM(area)			(cached[area] * 64 + cached[area + 1])

#define SUPERBLOCK(sequence, frontier, activated, checksum) \
	((sequence) + (frontier) * 32 + (activated) * 128 + (activated) * (checksum) * 256)
#define SEQUENCE(superblock)		((superblock) % 32)
#define FRONTIER(superblock)		((superblock) / 32 % 4)
#define ACTIVATED(superblock)		((superblock) / 128 % 2)
#define SUM(superblock)			((superblock) / 256)

/* The gate, and bios that it has let through, with their side: lost in a crash. */
bool serving, crashed;
byte boundary;		/* sectors before it are under the new key */
byte transition;	/* reads from the boundary to here wait */
byte writable;		/* sectors before it may be written; with a checksum, the boundary */
byte held;		/* writes from there to here wait */
mtype writing, reading;

/* What the user knows. */
byte user;		/* the sector that is read and written */
byte writes, written;	/* the last write, and that which a read returns */
byte safe;		/* a crash leaves this one, or a later one */
bool started;		/* a resume has returned */
byte pauses, crashes;

/* write(): in the cache; an earlier write may have become durable meanwhile */
inline write(sector, content)
{
	if
	:: true
	:: cached[sector] != durable[sector] ->
		durable[sector] = cached[sector];
		printf("durable %e %d\n", DEVICE(sector), OFFSET(sector))
	fi;
	cached[sector] = content
}

inline flush(first, end)
{
	i = first;
	do :: i < end -> durable[i] = cached[i]; i++ :: else -> break od;
	i = 0
}

inline flush_data()	{ d_step { flush(0, SECTORS); printf("flush data\n") } }
inline flush_state()	{ d_step { flush(SECTORS, DISK); printf("flush state\n") } }

/* commit(): FUA may be a write and a flush */
inline commit(to, activate, fua)
{
	atomic {
		sequence++;
		write(SLOT(sequence), SUPERBLOCK(sequence, to, activate, CHECKSUM(AREA(to))));
		printf("superblock-write %d frontier %d active %d\n", sequence, to, activate)
	}
	d_step {
		when(fua, durable[SLOT(sequence)] = cached[SLOT(sequence)]);
		frontier = to;
		activated = activate;
		printf("commit %d\n", sequence)
	}
}

/* open(): a valid state is continued; a blank one begins, with rekey_start */
inline open()
{
	when(cured(opening_flushes_data), flush_data());
	when(cured(opening_flushes_state), flush_state());
	d_step {
		superblock = cached[SLOT(0)];
		older = cached[SLOT(1)];
		when(SEQUENCE(superblock) < SEQUENCE(older), superblock = older; older = cached[SLOT(0)]);
		/* or else refused: damaged, or blank without rekey_start */
		promise(flushed, SEQUENCE(superblock) < 2 || SEQUENCE(older) == SEQUENCE(superblock) - 1);
		promise(flushed, superblock != 0 || !started)
	}
	if
	:: true
	:: !cured(valid_refused) -> superblock = 0; printf("rekey_start again\n")
	:: !cured(blank_refused) -> superblock = 0; printf("another state device\n")
	:: !cured(damage_refused) && older != 0 -> superblock = older; printf("slot damaged\n")
	:: d_step {
		!cured(area_checked) && ACTIVATED(superblock) ->
		cached[AREA(FRONTIER(superblock))] = GARBAGE;
		durable[AREA(FRONTIER(superblock))] = GARBAGE;
		printf("area damaged\n")
	   }
	fi;
	older = 0;
	sequence = SEQUENCE(superblock);
	frontier = FRONTIER(superblock);
	activated = ACTIVATED(superblock);
	when(superblock == 0, commit(0, false, cured(start_fua)));
	d_step {
		started = true;
		boundary = START(frontier);
		writable = boundary;
		held = (cured(recovery_gated) -> START(frontier + activated) : boundary);
		transition = held;
		serving = true;
		printf("open frontier %d active %d\n", frontier, activated)
	}
}

/* The area has what its batch was committed with. */
#define AREA_MATCHES	(!activated || CHECKSUM(AREA(frontier)) == SUM(superblock))

inline repair(sector, content)
{
	write(sector, content);
	printf("data-write %d new %d\n", sector, PLAINTEXT(cached[sector]));
	promise(flushed, AREA_MATCHES);
	wrote = true
}

/*
 * recover(): convert what the crash left under the old key of the active batch; with a
 * journal, write all of it
 */
inline recover()
{
	next = frontier + 1;
	/* or else the batch is not served */
	promise(flushed, AREA_MATCHES || !cured(area_checked));
	do
	:: i < 2 -> atomic {
		if
		:: RESILIENCE == journal ->
			repair(boundary + i, JOURNALED(boundary + i, cached[AREA(frontier) + i]))
		:: RESILIENCE == checksum &&
		   cached[AREA(frontier) + i] == RECORD(boundary + i, cached[boundary + i]) ->
			repair(boundary + i, CIPHERTEXT(PLAINTEXT(cached[boundary + i]), new))
		:: else
		fi;
		i++
	   }
	:: else -> break
	od;
	i = 0;
	when(cured(recovery_flushes) && (wrote || cured(recovery_flushes_always)), flush_data());
	wrote = false;
	commit(next, false, cured(commit_fua));
	d_step { boundary = START(next); writable = boundary }	/* opens the gate */
}

/* prepare(): read a sector of the next batch; its digest and new ciphertext follow from it */
inline prepare()
{
	d_step {
		promise(reads, KEY(cached[START(next) + prepared]) == old);
		next_batch[prepared] = PLAINTEXT(cached[START(next) + prepared]);
		printf("data-read %d old %d\n", START(next) + prepared, next_batch[prepared]);
		prepared++
	}
}

/* write_area(): write what recovery needs of a sector that is prepared */
inline write_area()
{
	atomic {
		write(AREA(next) + recorded,
		      RECORD(START(next) + recorded, RECORDED(next_batch[recorded])));
		printf("area-write %d %d\n", next % 2, recorded);
		recorded++
	}
}

/* convert_chunk(): write the next sector of the active batch */
inline convert_chunk()
{
	d_step { transition = boundary + 1; printf("hold-reads %d\n", boundary) }
	!reading || user != boundary || !cured(reads_drained);
	atomic {
		write(boundary, CIPHERTEXT(batch[boundary - START(frontier)], new));
		printf("data-write %d new %d\n", boundary, batch[boundary - START(frontier)])
	}
	d_step {
		boundary++;	/* opens the gate for reads, and with a checksum for writes */
		when(RESILIENCE == checksum || !cured(writes_wait_for_batch) ||
		     boundary == START(next) && !cured(writes_wait_for_commit),
		     writable = boundary)
	}
}

/* step(): convert the active batch, prepare the next one meanwhile, commit both */
inline step()
{
	next = frontier + activated;
	do
	:: boundary < START(next) -> convert_chunk()
	:: !paused && next < BATCHES && held == START(next) ->
		d_step { held = END(next); printf("hold-writes %d\n", next) }
		!writing || user < START(next) || user >= END(next) || !cured(writes_drained)
	:: held == END(next) && prepared < 2 -> prepare()
	:: !paused && pauses < PAUSES -> d_step {
		pauses++;
		paused = true;
		held = START(next);	/* opens the gate */
		when(cured(prepared_again), prepared = 0);
		printf("pause\n")
	   }
	:: boundary == START(next) && (paused || next == BATCHES || prepared == 2) -> break
	od;
	activate = !paused && next < BATCHES;
	do :: activate && recorded < 2 -> write_area() :: else -> break od;
	when(activated && cured(flush_before_retiring) || activate && cured(flush_before_digests),
	     flush_data());
	when(activate && cured(flush_of_area), flush_state());
	when(activated || activate, commit(next, activate, cured(commit_fua)));
	d_step {
		batch[0] = next_batch[0] * activate; batch[1] = next_batch[1] * activate;
		when(activate, next_batch[0] = 0; next_batch[1] = 0; prepared = 0; recorded = 0);
		writable = START(frontier);	/* opens the gate for writes */
		activate = false; paused = false
	}
}

active proctype machine()
{
	/* memory, lost in a crash too */
	byte sequence, frontier, next, batch[2], next_batch[2], prepared, recorded, i;
	bool activated, activate, paused, wrote;
	int superblock, older;

	printf("resilience %e\n", RESILIENCE);
	if :: user = 0 :: user = 1 :: user = 2 :: user = 3 :: user = 4 :: user = 5 fi;
	do
	:: {
		open();
		when(activated || !cured(recovery_of_active) && frontier < BATCHES &&
		     cached[AREA(frontier)] != 0, recover());
		superblock = 0;
		do :: frontier < BATCHES -> step() :: else -> break od;
end_done:	false
	   } unless { d_step {
		crashed ->
		crashed = false;
		sequence = 0; frontier = 0; next = 0; activated = false; activate = false;
		batch[0] = 0; batch[1] = 0; next_batch[0] = 0; next_batch[1] = 0; prepared = 0;
		recorded = 0; paused = false; wrote = false; superblock = 0; older = 0; i = 0
	   } }
	od
}

#define SIDE(sector)	(sector < boundary -> new : old)

active proctype writer()
{
	byte i;

end:	do
	:: d_step {
		serving && !writing && writes < WRITES &&
		!(writable <= user && user < held && cured(writes_held)) ->
		writes++;
		writing = SIDE(user);
		printf("map-write %d %e\n", user, writing)
	   }
	:: atomic {
		writing ->
		write(user, CIPHERTEXT(writes, writing));
		written = writes;
		printf("user-write %d %e %d\n", user, writing, written);
		writing = 0
	   }
	:: d_step {
		serving && safe != written ->
		flush(0, SECTORS);
		safe = written;
		printf("user-flush\n")
	   }
	od
}

active proctype reader()
{
end:	do
	:: d_step {
		serving && !reading &&
		!(boundary <= user && user < transition && cured(reads_held)) ->
		reading = SIDE(user);
		printf("map-read %d %e\n", user, reading)
	   }
	:: d_step {
		reading ->
		printf("user-read %d %e %d\n", user, KEY(cached[user]), PLAINTEXT(cached[user]));
		promise(reads, KEY(cached[user]) == reading);
		/* after a cut, a journal may have a later write than the data device */
		promise(flushed, cached[user] != GARBAGE && PLAINTEXT(cached[user]) >= written);
		written = PLAINTEXT(cached[user]);
		reading = 0
	   }
	od
}

/* cut(): each sector that is not durable is lost or kept, or torn */
inline cut()
{
	printf("cut\n");
	do
	:: i < DISK && cached[i] == durable[i] -> i++
	:: i < DISK && cached[i] != durable[i] ->
		printf("lost %e %d\n", DEVICE(i), OFFSET(i)); cached[i] = durable[i]; i++
	:: i < DISK && cached[i] != durable[i] ->
		printf("kept %e %d\n", DEVICE(i), OFFSET(i)); durable[i] = cached[i]; i++
	:: i < SECTORS && (RESILIENCE == journal || !cured(whole_units)) &&
	   cached[i] != durable[i] && KEY(cached[i]) != KEY(durable[i]) ->
		printf("torn data %d\n", i); cached[i] = GARBAGE; durable[i] = GARBAGE; i++
	:: i == DISK -> break
	od;
	i = 0;
	/* of garbage, a journal has the last write */
	when(durable[user] != GARBAGE, written = PLAINTEXT(durable[user]));
	promise(flushed, written >= safe)
}

active proctype power()
{
	byte i;

end:	do
	:: atomic {
		crashes < CRASHES && !crashed ->
		crashes++;
		serving = false; boundary = 0; transition = 0; writable = 0; held = 0;
		writing = 0; reading = 0;
		if :: cut() :: printf("warm crash\n") fi;
		crashed = true
	   }
	od
}

/* With weak fairness (pan -f), after the last crash, even if reads never cease. */
ltl conversion_finishes { <> [] (serving && writable == SECTORS && held == SECTORS) }
