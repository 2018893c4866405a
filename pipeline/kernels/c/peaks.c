/* The highest and lowest samples, and the highest point between them. */

#include "rows.h"

INLINE void extreme(const float *x, Py_ssize_t count, float *high, float *low)
{
    float highest = x[0], lowest = x[0];
    Py_ssize_t at = 0;
    if (count >= LANES) {
        Samples highs = samples(x), lows = highs;
        for (at = LANES; at + LANES <= count; at += LANES) {
            Samples next = samples(x + at);
            highs = either(highs > next, highs, next);
            lows = either(lows < next, lows, next);
        }
        for (int k = 0; k < LANES; k++) {
            highest = highest > highs[k] ? highest : highs[k];
            lowest = lowest < lows[k] ? lowest : lows[k];
        }
    }
    for (; at < count; at++) {
        highest = highest > x[at] ? highest : x[at];
        lowest = lowest < x[at] ? lowest : x[at];
    }
    *high = highest;
    *low = lowest;
}

WIDE static void extremes_of(const float *x, Py_ssize_t frames, Py_ssize_t size, float *high, float *low)
{
    for (Py_ssize_t cell = 0, start = 0; start < frames; cell++, start += size)
        extreme(x + start, frames - start < size ? frames - start : size, high + cell, low + cell);
}

KERNEL(extremes)
{
    (void)self;
    Table t[3]; /* planes, highest, lowest */
    double number[1];
    if (!taken("extremes", "fFFx", given, count, t, number))
        return NULL;
    Py_ssize_t frames = t[0].columns, size = (Py_ssize_t)number[0], cells = size > 0 ? (frames + size - 1) / size : -1;
    if (t[1].rows != t[0].rows || t[2].rows != t[0].rows || t[1].columns != cells || t[2].columns != cells)
        return refused("extremes", t, 3);
    Py_BEGIN_ALLOW_THREADS
    for (Py_ssize_t channel = 0; channel < t[0].rows; channel++)
        extremes_of(row(&t[0], channel), frames, size, row(&t[1], channel), row(&t[2], channel));
    Py_END_ALLOW_THREADS
    released(t, 3);
    Py_RETURN_NONE;
}

#define POINTS (4 * LANES) /* that are looked at or passed over together */

INLINE float magnitude_of(const float *x, Py_ssize_t count)
{
    float high, low;
    extreme(x, count, &high, &low);
    return high > -low ? high : -low;
}

/* The highest of POINTS points between samples, each the product of a filter's taps with the samples from its own on. */
INLINE float highest_point(const float *x, const float *taps, Py_ssize_t count)
{
    Samples sums[4] = {{0}};
    for (Py_ssize_t k = 0; k < count; k++)
        for (int v = 0; v < 4; v++)
            sums[v] += taps[k] * samples(x + k + v * LANES);
    float made[POINTS], high, low;
    memcpy(made, sums, sizeof made);
    extreme(made, POINTS, &high, &low);
    return high > -low ? high : -low;
}

WIDE static double highest_of(const float *x, Py_ssize_t frames, const Table *phases, double gain, double best)
{
    Py_ssize_t taps = phases->columns, points = frames - taps + 1, at = 0;
    double sample = frames > 0 ? magnitude_of(x, frames) : 0;
    best = sample > best ? sample : best;
    if (sample * gain <= best)
        return best;
    for (; at + POINTS <= points; at += POINTS)
        if (magnitude_of(x + at, POINTS + taps - 1) * gain > best)
            for (Py_ssize_t phase = 0; phase < phases->rows; phase++) {
                double highest = highest_point(x + at, row(phases, phase), taps);
                best = highest > best ? highest : best;
            }
    for (; at < points; at++)
        for (Py_ssize_t phase = 0; phase < phases->rows; phase++) {
            const float *tap = row(phases, phase);
            float sum = 0;
            for (Py_ssize_t k = 0; k < taps; k++)
                sum += tap[k] * x[at + k];
            best = fabsf(sum) > best ? fabsf(sum) : best;
        }
    return best;
}

KERNEL(highest_between)
{
    (void)self;
    Table t[2]; /* plane, phases */
    double number[2];
    if (!taken("highest_between", "ffxx", given, count, t, number))
        return NULL;
    if (t[0].rows != 1 || t[1].columns < 1)
        return refused("highest_between", t, 2);
    double best;
    Py_BEGIN_ALLOW_THREADS
    best = highest_of(row(&t[0], 0), t[0].columns, &t[1], number[0], number[1]);
    Py_END_ALLOW_THREADS
    released(t, 2);
    return PyFloat_FromDouble(best);
}
