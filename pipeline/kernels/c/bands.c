/* A bank of filters, even and odd ones in pairs, at a stride, and the highest magnitude of every few of their outputs.

   Filtered is by spectra, of LANES blocks at once that overlap by as much as a filter is long (overlap-save). With the middle of the
   filters at zero the response of an even one is real and that of an odd one imaginary, so that one real `gain` a bin gives the
   spectrum of the first output plus i times the second; folding it together leaves every so many-th sample of the two. */

#include "transform.h"

#include <stdlib.h>

typedef struct {
    const float *gains;   /* of one pair, for all bins of a block */
    const float *offsets; /* of all even filters, then of all odd ones */
    const float *roots;      /* exp(-2 pi i k / size) for each k, as pairs */
    const float *fold_roots; /* the same for twice as many as `points` */
    Py_ssize_t size, points; /* of a block, and of what its spectrum is folded to */
    Py_ssize_t skip, pool;   /* outputs that an end of a block spoils */
} Bank;

typedef struct {
    const Table *waves, *gains, *made;
    Py_ssize_t before, stride, wide; /* wide: pools that a block gives */
    float *rows;                     /* LANES blocks */
    Bin *bins, *from, *to;
    float (*even)[LANES], (*odd)[LANES];
} Work;

INLINE Samples magnitude(Samples x) { return (Samples)((Mask)x & 0x7fffffff); }
INLINE Samples higher(Samples a, Samples b) { return either(a > b, a, b); }

/* The spectra of blocks, bins 0 up to size / 2. */
WIDE static void blocks_spectra(const Bank *b, const float *const *x, Bin *bins, Bin *from, Bin *to)
{
    const Py_ssize_t half = b->size / 2;
    for (int lane = 0; lane < LANES; lane++)
        for (Py_ssize_t at = 0; at < half; at++) {
            from[at].re[lane] = x[lane][2 * at];
            from[at].im[lane] = x[lane][2 * at + 1];
        }
    const Bin *z = transformed(b->roots, half, from, to);
    for (Py_ssize_t k = 0; k <= half; k++)
        bins[k] = untangled(z, b->roots, half, k);
}

/* Both outputs of a pair of filters, as real and imaginary parts. */
WIDE static const Bin *outputs(const Bank *b, const Bin *bins, Bin *from, Bin *to)
{
    const Py_ssize_t size = b->size, half = size / 2, points = b->points;
    const float *gains = b->gains;
    for (Py_ssize_t m = 0; m < points; m++) {
        Samples re = {0}, im = {0};
        for (Py_ssize_t k = m; k < half; k += points) {
            re += bins[k].re * gains[k];
            im += bins[k].im * gains[k];
        }
        for (Py_ssize_t k = m + half; k < size; k += points) {
            re += bins[size - k].re * gains[k];
            im -= bins[size - k].im * gains[k];
        }
        from[m] = (Bin){re, -im}; /* upside down, and so is the result, for the transform is the one forward */
    }
    return transformed(b->fold_roots, b->points, from, to);
}

/* The maxima of a block's pools of both outputs. */
WIDE static void maxima(const Work *w, const Bank *b, const Bin *z, Py_ssize_t pair)
{
    const float even = b->offsets[pair], odd = b->offsets[pair + w->gains->rows];
    for (Py_ssize_t at = 0; at < w->wide; at++, z += b->pool) {
        Samples one = {0}, other = {0};
        for (Py_ssize_t k = 0; k < b->pool; k++) {
            one = higher(magnitude(z[k].re + even), one);
            other = higher(magnitude(z[k].im - odd), other);
        }
        memcpy(w->even[at], &one, sizeof one);
        memcpy(w->odd[at], &other, sizeof other);
    }
}

/* One block of a wave into `to`, with nothing outside of the wave. */
static void cut(const Work *w, const Bank *b, Py_ssize_t wave, Py_ssize_t block, float *to)
{
    const Py_ssize_t first = block * w->wide * b->pool * w->stride - w->before;
    const Py_ssize_t low = first < 0 ? -first : 0, left = w->waves->columns - first, end = left < b->size ? left : b->size;
    memset(to, 0, sizeof *to * (size_t)b->size);
    if (end > low)
        memcpy(to + low, (const float *)row(w->waves, wave) + first + low, sizeof *to * (size_t)(end - low));
}

static void banked(const Work *w, Bank *b)
{
    const Py_ssize_t pairs = w->gains->rows, frames = w->made->columns, blocks = (frames + w->wide - 1) / w->wide;
    for (Py_ssize_t at = 0; at < blocks * w->waves->rows; at += LANES) {
        const float *x[LANES];
        const Py_ssize_t left = blocks * w->waves->rows - at, lanes = left < LANES ? left : LANES;
        for (Py_ssize_t lane = 0; lane < LANES; lane++) {
            const Py_ssize_t number = at + (lane < lanes ? lane : 0);
            x[lane] = w->rows + lane * b->size;
            cut(w, b, number / blocks, number % blocks, w->rows + lane * b->size);
        }
        blocks_spectra(b, x, w->bins, w->from, w->to);
        for (Py_ssize_t pair = 0; pair < pairs; pair++) {
            b->gains = row(w->gains, pair);
            maxima(w, b, outputs(b, w->bins, w->from, w->to) + b->skip, pair);
            for (Py_ssize_t lane = 0; lane < lanes; lane++) {
                const Py_ssize_t wave = (at + lane) / blocks, first = (at + lane) % blocks * w->wide;
                float *one = row(w->made, 2 * pairs * wave + pair), *other = row(w->made, 2 * pairs * wave + pairs + pair);
                for (Py_ssize_t k = 0; k < w->wide && first + k < frames; k++) {
                    one[first + k] = w->even[k][lane];
                    other[first + k] = w->odd[k][lane];
                }
            }
        }
    }
}

KERNEL(band_maxima)
{
    (void)self;
    Table t[7]; /* waves, filters, offsets, gains, roots, roots of the folded spectrum, maxima */
    double n[2]; /* stride, pool */
    if (!taken("band_maxima", "ffffffFxx", given, count, t, n))
        return NULL;
    const Py_ssize_t taps = t[1].columns, size = t[3].columns, points = t[5].columns / 4;
    const int whole = n[0] >= 2 && n[0] <= (double)size && n[1] >= 1 && n[1] <= (double)size;
    const Py_ssize_t stride = whole ? (Py_ssize_t)n[0] : 2, pool = whole ? (Py_ssize_t)n[1] : 1;
    const Py_ssize_t skip = taps / 2 / stride + 1, wide = (points - 2 * skip + 1) / pool;
    const Py_ssize_t most = t[0].columns >= taps ? ((t[0].columns - taps) / stride + 1) / pool : 0;
    const int fits = whole && taps % 2 && t[2].rows == 1 && t[2].columns == t[1].rows && t[1].rows == 2 * t[3].rows && t[4].rows == 1 && t[4].columns == 2 * size &&
                     t[5].rows == 1 && t[5].columns == 4 * points && stride % 2 == 0 && size == stride * points &&
                     transformable(size) && transformable(2 * points) && wide > 0 &&
                     t[6].rows == t[0].rows * t[1].rows && t[6].columns == most;
    if (!fits)
        return refused("band_maxima", t, 7);
    const size_t bins = (size_t)(size / 2 + 1), each = (size_t)wide * LANES;
    char *memory = malloc(sizeof(Bin) * 3 * bins + sizeof(float) * ((size_t)size * LANES + 2 * each) + sizeof(Samples));
    if (memory == NULL) {
        released(t, 7);
        return PyErr_NoMemory();
    }
    Bin *room = (Bin *)(memory + (sizeof(Samples) - (uintptr_t)memory % sizeof(Samples)));
    float *rows = (float *)(room + 3 * bins);
    Work w = {t, t + 3, t + 6, skip * stride - taps / 2, stride, wide, rows, room, room + bins, room + 2 * bins, NULL, NULL};
    w.even = (float (*)[LANES])(rows + size * LANES);
    w.odd = w.even + wide;
    Bank bank = {NULL, row(&t[2], 0), row(&t[4], 0), row(&t[5], 0), size, points, skip, pool};
    Py_BEGIN_ALLOW_THREADS
    banked(&w, &bank);
    Py_END_ALLOW_THREADS
    free(memory);
    released(t, 7);
    Py_RETURN_NONE;
}
