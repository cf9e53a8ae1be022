// SPDX-License-Identifier: GPL-2.0-only
/* Creates bios: the layout of their vectors, and the expected content. */
#include <linux/mm.h>
#include <linux/slab.h>

#include "bios.h"

#define GUARD		0xa5	/* around the vectors */
#define POISON		0x5a	/* in the vectors of a read */
#define VEC_MAX		65536u	/* bytes in one vector at most */

/**
 * bios_below() - draw a random number
 * @job: the run, with its generator
 * @n: the upper limit
 *
 * Context: Any context; only one thread per run.
 * Return: the number, less than @n.
 */
u32 bios_below(struct job *job, u32 n)
{
	return prandom_u32_state(&job->rnd) % n;
}

/* The finaliser of splitmix64. */
static u64 mix(u64 x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

static void fill_sector(struct job *job, sector_t sector, u64 *buf)
{
	unsigned int i;
	u64 key;

	if (job->repeat)
		sector &= (job->unit >> SECTOR_SHIFT) - 1;
	key = mix(job->data + sector * 0x9e3779b97f4a7c15ULL);
	for (i = 0; i < SECTOR_SIZE / sizeof(u64); i++)
		buf[i] = mix(key + i);
}

static unsigned int piece_size(const struct piece *piece)
{
	return PAGE_SIZE << piece->order;
}

static struct piece *add_piece(struct unit_bio *ub, unsigned int size)
{
	struct piece *piece = &ub->pieces[ub->nr_pieces];

	piece->order = get_order(size);
	piece->page = alloc_pages(GFP_KERNEL | __GFP_COMP, piece->order);
	if (!piece->page)
		return NULL;
	piece->expect = kvmalloc(piece_size(piece), GFP_KERNEL);
	if (!piece->expect) {
		__free_pages(piece->page, piece->order);
		return NULL;
	}
	memset(page_address(piece->page), GUARD, piece_size(piece));
	memset(piece->expect, GUARD, piece_size(piece));
	ub->nr_pieces++;
	return piece;
}

/**
 * bios_free() - free a bio's memory
 * @ub: the bio, completed
 *
 * Context: Process context.
 */
void bios_free(struct unit_bio *ub)
{
	while (ub->nr_pieces) {
		struct piece *piece = &ub->pieces[--ub->nr_pieces];

		__free_pages(piece->page, piece->order);
		kvfree(piece->expect);
	}
	kvfree(ub->table);
	kvfree(ub);
}

/* Choose the next vector; the caller aligns it for the device. */
static void choose(struct unit_bio *ub, enum layout layout,
		   unsigned int *offset, unsigned int *len)
{
	static const unsigned int odd[] = { 4, 12, 500, 508, 516, 1020, 4092 };
	struct job *job = ub->job;

	*offset = bios_below(job, PAGE_SIZE);
	switch (layout) {
	case L_PLAIN:
		*offset = 0;
		*len = PAGE_SIZE;
		break;
	case L_SECTORS:
		*offset = round_down(*offset, SECTOR_SIZE);
		*len = SECTOR_SIZE * (1 + bios_below(job, 7));
		break;
	case L_ODD:
	case L_ADJACENT:
		*len = odd[bios_below(job, ARRAY_SIZE(odd))];
		break;
	case L_TINY:
		*len = job->align * (1 + bios_below(job, 8));
		break;
	case L_MULTI:
		*offset = bios_below(job, 3 * PAGE_SIZE);
		*len = PAGE_SIZE + bios_below(job, VEC_MAX - PAGE_SIZE);
		break;
	case L_FRAGMENTS:
		*len = DIV_ROUND_UP(ub->bytes, BIO_MAX_VECS);
		break;
	default:
		*len = job->unit;
		break;
	}
}

/* Add the next vector, in its own memory. */
static int add_own(struct unit_bio *ub, unsigned int offset, unsigned int len)
{
	struct vec *vec = &ub->vecs[ub->nr_vecs];
	struct piece *piece = add_piece(ub, offset + len);

	if (!piece)
		return -ENOMEM;
	vec->piece = piece - ub->pieces;
	vec->offset = offset;
	vec->len = len;
	ub->nr_vecs++;
	return 0;
}

static int add_vec(struct unit_bio *ub, unsigned int left)
{
	struct job *job = ub->job;
	enum layout layout = job->layout;
	struct vec *vec = &ub->vecs[ub->nr_vecs], *last = vec - 1;
	unsigned int offset, len, room = ub->max_vecs - ub->nr_vecs;

	if (job->tail && left <= job->unit)
		return add_own(ub, job->tail, left);
	if (job->tail) {
		left -= job->unit;
		room--;
	}
	if (layout == L_MIXED)
		layout = bios_below(job, L_MIXED);
	/* few vectors are left: use the largest from here on */
	if (layout != L_FRAGMENTS && layout != L_SAME &&
	    room <= left / VEC_MAX + 1)
		layout = L_MULTI;

	choose(ub, layout, &offset, &len);
	if (room <= left / VEC_MAX + 1)
		len = VEC_MAX;
	offset = round_down(offset, job->align);
	len = min3(roundup(len, (unsigned int)job->align), left, VEC_MAX);

	if (layout == L_SAME && ub->nr_vecs) {
		*vec = *last;
		vec->len = min(vec->len, left);
	} else if (layout == L_ADJACENT && ub->nr_vecs &&
		   last->offset + last->len + len <=
		   piece_size(&ub->pieces[last->piece])) {
		vec->piece = last->piece;
		vec->offset = last->offset + last->len;
		vec->len = len;
	} else {
		return add_own(ub, offset, len);
	}
	ub->nr_vecs++;
	return 0;
}

/**
 * bios_memory() - find the memory of a vector
 * @ub: the bio
 * @vec: its vector
 *
 * Return: its address.
 */
u8 *bios_memory(struct unit_bio *ub, const struct vec *vec)
{
	return (u8 *)page_address(ub->pieces[vec->piece].page) + vec->offset;
}

static u8 *vec_expect(struct unit_bio *ub, const struct vec *vec)
{
	return ub->pieces[vec->piece].expect + vec->offset;
}

/* Fill the expected content and, for a write, the memory of the vectors. */
static void fill_vecs(struct unit_bio *ub)
{
	struct job *job = ub->job;
	u64 buf[SECTOR_SIZE / sizeof(u64)];
	sector_t sector = ub->sector;
	unsigned int i, used = SECTOR_SIZE, done, n;

	for (i = 0; i < ub->nr_vecs; i++) {
		const struct vec *vec = &ub->vecs[i];

		for (done = 0; done < vec->len; done += n, used += n) {
			if (used == SECTOR_SIZE) {
				fill_sector(job, sector++, buf);
				used = 0;
			}
			n = min(vec->len - done, (unsigned int)SECTOR_SIZE - used);
			memcpy(vec_expect(ub, vec) + done, (u8 *)buf + used, n);
		}
		if (job->op == OP_READ)
			memset(bios_memory(ub, vec), POISON, vec->len);
		else
			memcpy(bios_memory(ub, vec), vec_expect(ub, vec), vec->len);
	}
}

/**
 * bios_make() - lay out a bio's vectors, and fill them
 * @job: the run
 * @extent: the area of the bio
 *
 * Context: Process context.  May sleep.
 * Return: the bio, for bios_free(), or NULL if an allocation fails.
 */
struct unit_bio *bios_make(struct job *job, const struct extent *extent)
{
	unsigned int left = extent->bytes, end = 0, max_vecs = BIO_MAX_VECS;
	struct unit_bio *ub;

	if (job->layout == L_SAME)
		max_vecs = extent->bytes / job->unit;
	ub = kvzalloc(struct_size(ub, vecs, max_vecs), GFP_KERNEL);
	if (!ub)
		return NULL;
	ub->max_vecs = max_vecs;
	ub->job = job;
	ub->sector = extent->sector;
	ub->bytes = extent->bytes;
	while (left) {
		if (ub->nr_vecs == ub->max_vecs || add_vec(ub, left)) {
			bios_free(ub);
			return NULL;
		}
		left -= ub->vecs[ub->nr_vecs - 1].len;
		end += ub->vecs[ub->nr_vecs - 1].len;
		if (end & (job->unit - 1))
			job->straddling++;
	}
	fill_vecs(ub);
	return ub;
}

static void complain(struct unit_bio *ub, unsigned int nr)
{
	const struct piece *piece = &ub->pieces[nr];
	const u8 *memory = page_address(piece->page);
	unsigned int at = 0, i;

	while (memory[at] == piece->expect[at])
		at++;
	for (i = 0; i < ub->nr_vecs; i++) {
		const struct vec *vec = &ub->vecs[i];

		if (vec->piece == nr && at >= vec->offset &&
		    at < vec->offset + vec->len)
			break;
	}
	pr_err("%s of %u bytes at sector %llu: %s differs: piece %u byte %u is %02x, not %02x; vector %d of %u\n",
	       bios_op_names[ub->job->op], ub->bytes, (u64)ub->sector,
	       i == ub->nr_vecs ? "memory around the vectors" : "content",
	       nr, at, memory[at], piece->expect[at],
	       i == ub->nr_vecs ? -1 : (int)i, ub->nr_vecs);
}

/**
 * bios_in_hole() - check whether a byte of a bio may change at any time
 * @job: the run
 * @at: the byte's offset in the bio
 *
 * Return: true if it is in the middle half of its unit.
 */
bool bios_in_hole(const struct job *job, unsigned int at)
{
	unsigned int quarter = (at & (job->unit - 1)) / (job->unit / 4);

	return quarter == 1 || quarter == 2;
}

/**
 * bios_compare() - check all memory of a completed bio's vectors
 * @ub: the bio; differences are logged and counted as wrong
 * @any: accept any content of the vectors themselves
 *
 * Context: Process context.
 */
void bios_compare(struct unit_bio *ub, bool any)
{
	struct job *job = ub->job;
	unsigned int i, at = 0, n;

	for (i = 0; (any || job->hole) && i < ub->nr_vecs; i++)
		for (n = 0; n < ub->vecs[i].len; n++, at++)
			if (any || bios_in_hole(job, at))
				vec_expect(ub, &ub->vecs[i])[n] =
					bios_memory(ub, &ub->vecs[i])[n];
	for (i = 0; i < ub->nr_pieces; i++) {
		struct piece *piece = &ub->pieces[i];

		if (memcmp(page_address(piece->page), piece->expect,
			   piece_size(piece))) {
			if (job->wrong++ < 10)
				complain(ub, i);
		}
	}
}
