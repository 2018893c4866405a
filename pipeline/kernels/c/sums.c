/* Sums and sums of squares of samples in cells, as they are and behind K-weighting. */

#include "rows.h"

#define SECTIONS 2

WIDE static void sums_of(const float *x, Py_ssize_t count, double *sum, double *square)
{
    double sums[LANES] = {0}, squares[LANES] = {0};
    Py_ssize_t at = 0;
    for (; at + LANES <= count; at += LANES)
        for (int k = 0; k < LANES; k++) {
            double value = x[at + k];
            sums[k] += value;
            squares[k] += value * value;
        }
    for (; at < count; at++) {
        sums[0] += x[at];
        squares[0] += (double)x[at] * x[at];
    }
    *sum = *square = 0;
    for (int k = 0; k < LANES; k++) {
        *sum += sums[k];
        *square += squares[k];
    }
}

KERNEL(moments)
{
    (void)self;
    Table t[4]; /* planes, edges, sums, squares */
    if (!taken("moments", "fiDD", given, count, t, NULL))
        return NULL;
    Py_ssize_t cells = t[1].columns + 1, frames = t[0].columns;
    if (!rising(&t[1], frames) || t[2].rows != t[0].rows || t[3].rows != t[0].rows || t[2].columns != cells ||
        t[3].columns != cells)
        return refused("moments", t, 4);
    const int64_t *edges = row(&t[1], 0);
    Py_BEGIN_ALLOW_THREADS
    for (Py_ssize_t channel = 0; channel < t[0].rows; channel++) {
        const float *x = row(&t[0], channel);
        double *sum = row(&t[2], channel), *square = row(&t[3], channel);
        Py_ssize_t start = 0;
        for (Py_ssize_t cell = 0; cell < cells; cell++) {
            Py_ssize_t end = cell + 1 < cells ? (Py_ssize_t)edges[cell] : frames;
            sums_of(x + start, end - start, sum + cell, square + cell);
            start = end;
        }
    }
    Py_END_ALLOW_THREADS
    released(t, 4);
    Py_RETURN_NONE;
}

/* A second-order section as states: what it gives is b0 x + z0, and the states take in x and z0 alone, so that a sample waits
   for one product and one sum of the sample before it. */
typedef struct {
    double b0, b1, b2, a1, a2;
} Section;

static Section section(const double *sos)
{
    Section s = {sos[0], sos[1] - sos[4] * sos[0], sos[2] - sos[5] * sos[0], sos[4], sos[5]};
    return s;
}

/* Sum up the squares of two filtered channels, and leave the states as they are after the last sample. */
static void filtered_pair(const Section s[SECTIONS], const float *const x[2], Py_ssize_t count, double z[2][2 * SECTIONS], double out[2])
{
    Pair total = {0, 0}, p = {z[0][0], z[1][0]}, q = {z[0][1], z[1][1]}, r = {z[0][2], z[1][2]}, t = {z[0][3], z[1][3]};
    for (Py_ssize_t at = 0; at < count; at++) {
        Pair in = {x[0][at], x[1][at]};
        Pair mid = s[0].b0 * in + p, y = s[1].b0 * mid + r, before = p, between = r;
        p = (s[0].b1 * in + q) - s[0].a1 * before;
        q = s[0].b2 * in - s[0].a2 * before;
        r = (s[1].b1 * mid + t) - s[1].a1 * between;
        t = s[1].b2 * mid - s[1].a2 * between;
        total += y * y;
    }
    for (int c = 0; c < 2; c++) {
        out[c] = total[c];
        double states[2 * SECTIONS] = {p[c], q[c], r[c], t[c]};
        for (int k = 0; k < 2 * SECTIONS; k++)
            z[c][k] = fabs(states[k]) < NEXT_TO_NOTHING ? 0 : states[k];
    }
}

KERNEL(filtered_energies)
{
    (void)self;
    Table t[5]; /* sos, state, planes, edges, energies */
    if (!taken("filtered_energies", "dDfiD", given, count, t, NULL))
        return NULL;
    Py_ssize_t channels = t[2].rows, frames = t[2].columns, cells = t[3].columns + 1;
    if (t[0].rows != SECTIONS || t[0].columns != 6 || t[1].rows != channels || t[1].columns != 2 * SECTIONS ||
        !rising(&t[3], frames) || t[4].rows != channels || t[4].columns != cells)
        return refused("filtered_energies", t, 5);
    const int64_t *edges = row(&t[3], 0);
    const Section filter[SECTIONS] = {section(row(&t[0], 0)), section(row(&t[0], 1))};
    Py_BEGIN_ALLOW_THREADS
    for (Py_ssize_t first = 0; first < channels; first += 2) {
        Py_ssize_t both[2] = {first, first + 1 < channels ? first + 1 : first};
        const float *x[2];
        double z[2][2 * SECTIONS], out[2];
        for (int c = 0; c < 2; c++)
            memcpy(z[c], row(&t[1], both[c]), sizeof z[c]);
        Py_ssize_t start = 0;
        for (Py_ssize_t cell = 0; cell < cells; cell++) {
            Py_ssize_t end = cell + 1 < cells ? (Py_ssize_t)edges[cell] : frames;
            for (int c = 0; c < 2; c++)
                x[c] = (const float *)row(&t[2], both[c]) + start;
            filtered_pair(filter, x, end - start, z, out);
            for (int c = 0; c < 2; c++)
                ((double *)row(&t[4], both[c]))[cell] = out[c];
            start = end;
        }
        for (int c = 0; c < 2; c++)
            memcpy(row(&t[1], both[c]), z[c], sizeof z[c]);
    }
    Py_END_ALLOW_THREADS
    released(t, 5);
    Py_RETURN_NONE;
}
