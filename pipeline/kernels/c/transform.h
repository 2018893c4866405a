/* Fourier transforms of LANES signals at once, one in each lane, so that none tells on another. */

#ifndef VOXGATE_TRANSFORM_H
#define VOXGATE_TRANSFORM_H

#include "rows.h"

typedef struct {
    Samples re, im;
} Bin;

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

/* Bin k, up to `half`, of the spectrum of real samples of which `z` is the transform: the even ones were its real parts and the odd
   ones its imaginary parts (Press et al., Numerical Recipes, 12.3). `roots` are those of all the samples. */
INLINE Bin untangled(const Bin *z, const float *roots, Py_ssize_t half, Py_ssize_t k)
{
    const Bin a = z[k < half ? k : 0], b = z[k > 0 ? half - k : 0], mirror = {b.re, -b.im};
    const Bin even = scaled(plus(a, mirror), 0.5f), odd = scaled(turned(minus(a, mirror)), 0.5f);
    return plus(even, times(odd, roots + 2 * k));
}

/* Whether so many real samples can be transformed: an even number of no prime factors but 2, 3 and 5. */
INLINE int transformable(Py_ssize_t size)
{
    if (size < 2 || size % 2)
        return 0;
    for (int prime = 2; prime <= 5; prime++)
        while (size % prime == 0)
            size /= prime;
    return size == 1;
}

#endif
