/* How long the envelope of ITU-T P.56 is over each of its thresholds. */

#include "rows.h"

typedef struct {
    const double *thresholds;
    int64_t *active, *over_until;
    int64_t hold;
} Activity;

/* The envelope passes from one number of reached thresholds to another before the sample `now`. */
static void passed(const Activity *a, Py_ssize_t before, Py_ssize_t after, int64_t now)
{
    for (Py_ssize_t k = after; k < before; k++)
        a->over_until[k] = now; /* counted up to here, and waiting */
    for (Py_ssize_t k = before; k < after; k++)
        if (a->over_until[k] >= 0) {
            int64_t waited = now - a->over_until[k];
            a->active[k] += waited < a->hold ? waited : a->hold;
        }
}

KERNEL(active_samples)
{
    (void)self;
    Table t[5]; /* samples, thresholds, envelope, active, over_until */
    double number[3];
    if (!taken("active_samples", "fdDIIxxx", given, count, t, number))
        return NULL;
    Py_ssize_t frames = t[0].columns, steps = t[1].columns, level = 0, begun = 0;
    if (t[0].rows != 1 || t[2].columns != 2 || steps < 1 || t[3].columns != steps || t[4].columns != steps)
        return refused("active_samples", t, 5);
    const double g = number[0];
    const int64_t hold = (int64_t)number[1], first = (int64_t)number[2];
    const float *x = row(&t[0], 0);
    const Activity a = {row(&t[1], 0), row(&t[3], 0), row(&t[4], 0), hold};
    double *envelope = row(&t[2], 0), p = envelope[0], q = envelope[1], rest = 1 - g, under = 0, over = a.thresholds[0];
    Py_BEGIN_ALLOW_THREADS
    for (Py_ssize_t at = 0; at < frames; at++) {
        p = g * p + rest * fabs((double)x[at]);
        q = g * q + rest * p;
        if (q >= under && q < over)
            continue;
        if (q < NEXT_TO_NOTHING) {
            p = p < NEXT_TO_NOTHING ? 0 : p;
            q = 0;
        }
        Py_ssize_t now = 0;
        while (now < steps && q >= a.thresholds[now])
            now++;
        under = now > 0 ? a.thresholds[now - 1] : NEXT_TO_NOTHING;
        over = now < steps ? a.thresholds[now] : HUGE_VAL;
        if (now == level)
            continue;
        for (Py_ssize_t k = 0; k < level; k++)
            a.active[k] += at - begun;
        passed(&a, level, now, first + at);
        level = now;
        begun = at;
    }
    for (Py_ssize_t k = 0; k < level; k++) {
        a.active[k] += frames - begun;
        a.over_until[k] = first + frames;
    }
    Py_END_ALLOW_THREADS
    envelope[0] = p;
    envelope[1] = q;
    released(t, 5);
    Py_RETURN_NONE;
}
