/* Which peaks of one clip stand in another, so much later. */

#include "rows.h"

KERNEL(meetings)
{
    (void)self;
    Table t[6]; /* frames and steps of one, frames and steps of the other, met, counts */
    double number[2];
    if (!taken("meetings", "iiiiIIxx", given, count, t, number))
        return NULL;
    const Py_ssize_t own = t[0].columns, theirs = t[2].columns, latenesses = t[5].columns;
    if (t[1].columns != own || t[3].columns != theirs || t[4].columns != own)
        return refused("meetings", t, 6);
    for (int k = 0; k < 6; k++)
        if (t[k].rows != 1)
            return refused("meetings", t, 6);
    const int64_t *frames = row(&t[0], 0), *steps = row(&t[1], 0), *other_frames = row(&t[2], 0), *other_steps = row(&t[3], 0);
    const int64_t least = (int64_t)number[0], near = (int64_t)number[1];
    int64_t *met = row(&t[4], 0), *counts = row(&t[5], 0);
    memset(counts, 0, sizeof *counts * (size_t)latenesses);
    memset(met, 0, sizeof *met * (size_t)own);
    Py_BEGIN_ALLOW_THREADS
    for (Py_ssize_t at = 0, first = 0; at < own; at++) {
        const int64_t earliest = frames[at] + least;
        while (first < theirs && other_frames[first] < earliest)
            first++;
        for (Py_ssize_t k = first; k < theirs && other_frames[k] - earliest < latenesses; k++) {
            const int64_t apart = other_steps[k] - steps[at], late = other_frames[k] - earliest;
            if (apart < -near || apart > near || late < 0)
                continue;
            counts[late]++;
            met[at] = 1;
        }
    }
    Py_END_ALLOW_THREADS
    released(t, 6);
    Py_RETURN_NONE;
}
