/* Spectra of windows of real samples: LANES windows at once, one in each lane, so that no window tells on another. */

#include "rows.h"

#include <stdlib.h>

typedef struct {
    Samples re, im;
} Bin;

typedef struct {
    const float *window, *roots; /* exp(-2 pi i k / size) for each k, as pairs */
    Py_ssize_t size, first, count;
    int powers; /* squared magnitudes instead of pairs */
} Spectrum;

INLINE Bin plus(Bin a, Bin b) { return (Bin){a.re + b.re, a.im + b.im}; }
INLINE Bin minus(Bin a, Bin b) { return (Bin){a.re - b.re, a.im - b.im}; }
INLINE Bin scaled(Bin a, float by) { return (Bin){a.re * by, a.im * by}; }
INLINE Bin turned(Bin a) { return (Bin){a.im, -a.re}; } /* times -i */
INLINE Bin times(Bin a, const float *root) { return (Bin){a.re * root[0] - a.im * root[1], a.re * root[1] + a.im * root[0]}; }

INLINE void two(const Bin *a, Bin *b)
{
    b[0] = plus(a[0], a[1]);
    b[1] = minus(a[0], a[1]);
}

INLINE void three(const Bin *a, Bin *b)
{
    const Bin sum = plus(a[1], a[2]), across = scaled(turned(minus(a[1], a[2])), 0.86602540378443865f);
    const Bin middle = minus(a[0], scaled(sum, 0.5f));
    b[0] = plus(a[0], sum);
    b[1] = plus(middle, across);
    b[2] = minus(middle, across);
}

INLINE void four(const Bin *a, Bin *b)
{
    const Bin even = plus(a[0], a[2]), odd = plus(a[1], a[3]), apart = minus(a[0], a[2]), across = turned(minus(a[1], a[3]));
    b[0] = plus(even, odd);
    b[1] = plus(apart, across);
    b[2] = minus(even, odd);
    b[3] = minus(apart, across);
}

INLINE void five(const Bin *a, Bin *b)
{
    const float c1 = 0.30901699437494742f, c2 = -0.80901699437494742f, s1 = 0.95105651629515357f, s2 = 0.58778525229247313f;
    const Bin outer = plus(a[1], a[4]), inner = plus(a[2], a[3]);
    const Bin far = turned(minus(a[1], a[4])), near = turned(minus(a[2], a[3]));
    const Bin one = plus(a[0], plus(scaled(outer, c1), scaled(inner, c2)));
    const Bin other = plus(a[0], plus(scaled(outer, c2), scaled(inner, c1)));
    const Bin one_across = plus(scaled(far, s1), scaled(near, s2)), other_across = minus(scaled(far, s2), scaled(near, s1));
    b[0] = plus(a[0], plus(outer, inner));
    b[1] = plus(one, one_across);
    b[2] = plus(other, other_across);
    b[3] = minus(other, other_across);
    b[4] = minus(one, one_across);
}

/* One pass of Stockham's transform: `left` points are still to be transformed in each of `done` parts. */
#define PASS(radix, butterfly)                                                                                               \
    for (Py_ssize_t p = 0; p < left / radix; p++)                                                                            \
        for (Py_ssize_t q = 0; q < done; q++) {                                                                              \
            Bin a[radix], b[radix];                                                                                          \
            for (int j = 0; j < radix; j++)                                                                                  \
                a[j] = from[q + done * (p + left / radix * j)];                                                              \
            butterfly(a, b);                                                                                                 \
            to[q + done * radix * p] = b[0];                                                                                 \
            for (int j = 1; j < radix; j++)                                                                                  \
                to[q + done * (radix * p + j)] = times(b[j], roots + 4 * p * j * done);                                      \
        }

/* The complex transform of `half` points; the result is in the array that is returned. */
INLINE const Bin *transformed(const float *roots, Py_ssize_t half, Bin *from, Bin *to)
{
    for (Py_ssize_t left = half, done = 1, radix; left > 1; left /= radix, done *= radix) {
        radix = left % 4 == 0 ? 4 : left % 2 == 0 ? 2 : left % 3 == 0 ? 3 : 5;
        if (radix == 4) {
            PASS(4, four)
        } else if (radix == 2) {
            PASS(2, two)
        } else if (radix == 3) {
            PASS(3, three)
        } else {
            PASS(5, five)
        }
        Bin *swap = from;
        from = to;
        to = swap;
    }
    return from;
}

/* The spectra of up to LANES windows, by the transform of half their size of which one part is the even samples and the other the
   odd ones (Press et al., Numerical Recipes, 12.3). */
WIDE static void spectra_of(const Spectrum *s, const float *const *x, float *const *made, int lanes, Bin *from, Bin *to)
{
    const Py_ssize_t half = s->size / 2;
    memset(from, 0, sizeof *from * (size_t)half);
    for (int lane = 0; lane < lanes; lane++)
        for (Py_ssize_t at = 0; at < half; at++) {
            from[at].re[lane] = x[lane][2 * at] * s->window[2 * at];
            from[at].im[lane] = x[lane][2 * at + 1] * s->window[2 * at + 1];
        }
    const Bin *z = transformed(s->roots, half, from, to);
    for (Py_ssize_t k = s->first; k < s->first + s->count; k++) {
        const Bin a = z[k < half ? k : 0], b = z[k > 0 ? half - k : 0], mirror = {b.re, -b.im};
        const Bin even = scaled(plus(a, mirror), 0.5f), odd = scaled(turned(minus(a, mirror)), 0.5f);
        const Bin bin = plus(even, times(odd, s->roots + 2 * k));
        const Samples power = bin.re * bin.re + bin.im * bin.im;
        for (int lane = 0; lane < lanes; lane++)
            if (s->powers) {
                made[lane][k - s->first] = power[lane];
            } else {
                made[lane][2 * (k - s->first)] = bin.re[lane];
                made[lane][2 * (k - s->first) + 1] = bin.im[lane];
            }
    }
}

static int transformable(Py_ssize_t size)
{
    static const int primes[] = {2, 3, 5};
    if (size < 2 || size % 2)
        return 0;
    for (int k = 0; k < 3; k++)
        while (size % primes[k] == 0)
            size /= primes[k];
    return size == 1;
}

static PyObject *spectra_in(const char *name, PyObject *const *given, Py_ssize_t count, int powers)
{
    Table t[4]; /* windows, window, roots, bins */
    double first;
    if (!taken(name, "fffFx", given, count, t, &first))
        return NULL;
    const Py_ssize_t size = t[1].columns, wide = t[3].columns / (powers ? 1 : 2);
    Spectrum s = {row(&t[1], 0), row(&t[2], 0), size, (Py_ssize_t)first, wide, powers};
    int fits = t[0].columns == size && t[1].rows == 1 && t[2].rows == 1 && t[2].columns == 2 * size && transformable(size);
    if (!fits || t[3].rows != t[0].rows || t[3].columns != wide * (powers ? 1 : 2) || !(first >= 0 && first <= size) ||
        s.first + wide > size / 2 + 1)
        return refused(name, t, 4);
    char *memory = malloc(sizeof(Bin) * (size_t)size + sizeof(Samples));
    if (memory == NULL) {
        released(t, 4);
        return PyErr_NoMemory();
    }
    Bin *room = (Bin *)(memory + (sizeof(Samples) - (uintptr_t)memory % sizeof(Samples)));
    Py_BEGIN_ALLOW_THREADS
    for (Py_ssize_t at = 0; at < t[0].rows; at += LANES) {
        const float *x[LANES];
        float *made[LANES];
        int lanes = 0;
        for (; lanes < LANES && at + lanes < t[0].rows; lanes++) {
            x[lanes] = row(&t[0], at + lanes);
            made[lanes] = row(&t[3], at + lanes);
        }
        spectra_of(&s, x, made, lanes, room, room + size / 2);
    }
    Py_END_ALLOW_THREADS
    free(memory);
    released(t, 4);
    Py_RETURN_NONE;
}

KERNEL(spectra)
{
    (void)self;
    return spectra_in("spectra", given, count, 0);
}

KERNEL(power_spectra)
{
    (void)self;
    return spectra_in("power_spectra", given, count, 1);
}
