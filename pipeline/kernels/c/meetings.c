/* Which peaks of one clip stand in another, so much later, and where they stand together. */

#include "rows.h"

typedef struct {
    const int64_t *frames, *steps, *firsts;
    Py_ssize_t count, known;
} Peaks;

/* The peaks in two tables of one row each and the number of the first at or behind each frame; no frames where they are none. */
static Peaks peaks(const Table t[3])
{
    int fit = t[0].rows == 1 && t[1].rows == 1 && t[2].rows == 1 && t[0].columns == t[1].columns && t[2].columns > 0;
    return (Peaks){fit ? row(&t[0], 0) : NULL, row(&t[1], 0), row(&t[2], 0), t[0].columns, t[2].columns};
}

/* The number of the first peak at or behind a frame. */
INLINE Py_ssize_t first(const Peaks *peaks, int64_t frame)
{
    int64_t at = peaks->firsts[frame < 0 ? 0 : frame < peaks->known ? frame : peaks->known - 1];
    return at < 0 ? 0 : at < peaks->count ? at : peaks->count;
}

KERNEL(meetings)
{
    (void)self;
    Table t[7]; /* frames, steps and firsts of one, the same of the other, counts */
    double number[2];
    if (!taken("meetings", "iiiiiiIxx", given, count, t, number))
        return NULL;
    const Peaks own = peaks(t), other = peaks(t + 3);
    if (own.frames == NULL || other.frames == NULL || t[6].rows != 1)
        return refused("meetings", t, 7);
    const int64_t least = (int64_t)number[0], near = (int64_t)number[1], latenesses = t[6].columns;
    int64_t *counts = row(&t[6], 0);
    memset(counts, 0, sizeof *counts * (size_t)latenesses);
    Py_BEGIN_ALLOW_THREADS
    for (Py_ssize_t at = 0; at < own.count; at++) {
        const int64_t earliest = own.frames[at] + least, lowest = own.steps[at] - near;
        const Py_ssize_t end = first(&other, earliest + latenesses);
        for (Py_ssize_t k = first(&other, earliest); k < end; k++) {
            const int64_t late = other.frames[k] - earliest;
            if (late >= 0 && late < latenesses)
                counts[late] += (uint64_t)(other.steps[k] - lowest) <= (uint64_t)(2 * near);
        }
    }
    Py_END_ALLOW_THREADS
    released(t, 7);
    Py_RETURN_NONE;
}

/* Flag each of `own` that is met at `least` or a frame later. */
static void meet(Peaks own, Peaks other, int64_t least, int64_t near, int64_t *met)
{
    for (Py_ssize_t at = 0; at < own.count; at++) {
        const int64_t earliest = own.frames[at] + least, lowest = own.steps[at] - near;
        const Py_ssize_t end = first(&other, earliest + 2);
        int64_t any = 0;
        for (Py_ssize_t k = first(&other, earliest); k < end; k++)
            any |= (uint64_t)(other.steps[k] - lowest) <= (uint64_t)(2 * near);
        met[at] = any;
    }
}

KERNEL(crowds)
{
    (void)self;
    Table t[9]; /* frames, steps and firsts of one, the same of the other, met, those met before each, crowded */
    double number[4];
    if (!taken("crowds", "iiiiiiIIIxxxx", given, count, t, number))
        return NULL;
    const Peaks own = peaks(t), other = peaks(t + 3);
    if (own.frames == NULL || other.frames == NULL || t[6].rows != 1 || t[7].rows != 1 || t[8].rows != 1 ||
        t[6].columns != own.count || t[7].columns != own.count + 1 || t[8].columns != own.count)
        return refused("crowds", t, 9);
    const int64_t least = (int64_t)number[0], near = (int64_t)number[1], window = (int64_t)number[2];
    const double ratio = number[3];
    int64_t *met = row(&t[6], 0), *before = row(&t[7], 0), *crowded = row(&t[8], 0);
    Py_BEGIN_ALLOW_THREADS
    meet(own, other, least, near, met);
    before[0] = 0;
    for (Py_ssize_t at = 0; at < own.count; at++)
        before[at + 1] = before[at] + met[at];
    for (Py_ssize_t at = 0; at < own.count; at++) {
        const Py_ssize_t from = first(&own, own.frames[at] - window), to = first(&own, own.frames[at] + window + 1);
        crowded[at] = (double)(before[to] - before[from]) >= ratio * (double)(to - from);
    }
    Py_END_ALLOW_THREADS
    released(t, 9);
    Py_RETURN_NONE;
}
