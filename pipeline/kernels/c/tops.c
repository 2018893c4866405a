/* Runs of samples over a level, and the outlines of the tops that they are. */

#include "rows.h"

#define AT_ONCE (4 * LANES)

/* Whether one of the next samples is high enough; most are not, and then all of them are passed over. */
INLINE int any_over(const float *x, float sign, float least)
{
    Mask over = {0};
    for (int k = 0; k < AT_ONCE; k += LANES)
        over |= sign * samples(x + k) >= least;
    uint64_t words[LANES / 2];
    memcpy(words, &over, sizeof words);
    return (words[0] | words[1] | words[2] | words[3]) != 0;
}

/* The first run of high samples from `at` on: where it starts, where it ends and how high it gets; 0 when there is none. */
INLINE int next_run(const float *x, Py_ssize_t at, Py_ssize_t count, float sign, float least, Py_ssize_t run[2], float *height)
{
    for (;;) {
        while (at + AT_ONCE <= count && !any_over(x + at, sign, least))
            at += AT_ONCE;
        Py_ssize_t stop = at + AT_ONCE < count ? at + AT_ONCE : count;
        while (at < stop && !(sign * x[at] >= least))
            at++;
        if (at < stop)
            break;
        if (at == count)
            return 0;
    }
    run[0] = at;
    *height = sign * x[at];
    for (; at < count && sign * x[at] >= least; at++)
        *height = sign * x[at] > *height ? sign * x[at] : *height;
    run[1] = at;
    return 1;
}

WIDE static Py_ssize_t all_runs(const float *x, Py_ssize_t count, float sign, float least, int64_t *runs, Py_ssize_t most)
{
    Py_ssize_t found = 0, run[2] = {0, 0};
    float height;
    while (found < most && next_run(x, run[1], count, sign, least, run, &height)) {
        runs[2 * found] = run[0];
        runs[2 * found++ + 1] = run[1];
    }
    return found;
}

KERNEL(runs_over)
{
    (void)self;
    Table t[2]; /* plane, runs */
    double number[2];
    if (!taken("runs_over", "fIxx", given, count, t, number))
        return NULL;
    if (t[0].rows != 1 || t[1].columns != 2 || (t[1].rows > 1 && t[1].row_bytes != 16))
        return refused("runs_over", t, 2);
    Py_ssize_t found;
    Py_BEGIN_ALLOW_THREADS
    found = all_runs(row(&t[0], 0), t[0].columns, (float)number[0], (float)number[1], row(&t[1], 0), t[1].rows);
    Py_END_ALLOW_THREADS
    released(t, 2);
    return PyLong_FromSsize_t(found);
}

/* How long a straight line from each of these samples to the next is over a level, in samples and all together. */
static float width_over(const float *x, Py_ssize_t count, float sign, float level)
{
    float width = 0;
    for (Py_ssize_t at = 0; at + 1 < count; at++) {
        float here = sign * x[at], next = sign * x[at + 1], higher = here > next ? here : next;
        float rise = here > next ? here - next : next - here;
        float share = (higher - level) / (rise > 1e-12f ? rise : 1e-12f);
        width += share < 0 ? 0 : share > 1 ? 1 : share;
    }
    return width;
}

typedef struct {
    float foot, tall, crown, roof, waist, least_waist;
} Shape;

WIDE static Py_ssize_t outlined(const float *x, Py_ssize_t count, float sign, const Shape *shape, double *made, Py_ssize_t most)
{
    Py_ssize_t found = 0, run[2] = {0, 0};
    float highest;
    while (found < most && next_run(x, run[1], count, sign, shape->foot, run, &highest)) {
        if (run[0] == 0 || run[1] == count || highest < shape->tall)
            continue;
        Py_ssize_t first = run[0] - 1, size = run[1] - run[0] + 2, held = 0;
        float height = 0;
        for (Py_ssize_t at = run[0]; at < run[1]; at++)
            if (sign * x[at] >= shape->crown * highest) {
                height += sign * x[at];
                held++;
            }
        height /= (float)held;
        float waist = width_over(x + first, size, sign, shape->waist * height);
        if (waist < shape->least_waist)
            continue;
        double *top = made + 4 * found++;
        top[0] = (double)first + (double)size / 2;
        top[1] = height;
        top[2] = width_over(x + first, size, sign, shape->roof * height);
        top[3] = waist;
    }
    return found;
}

KERNEL(tops)
{
    (void)self;
    Table t[3]; /* plane, shape, tops */
    double number[1];
    if (!taken("tops", "fdDx", given, count, t, number))
        return NULL;
    if (t[0].rows != 1 || t[1].rows != 1 || t[1].columns != 6 || t[2].columns != 4 || (t[2].rows > 1 && t[2].row_bytes != 32))
        return refused("tops", t, 3);
    const double *s = row(&t[1], 0);
    const Shape shape = {(float)s[0], (float)s[1], (float)s[2], (float)s[3], (float)s[4], (float)s[5]};
    Py_ssize_t found;
    Py_BEGIN_ALLOW_THREADS
    found = outlined(row(&t[0], 0), t[0].columns, (float)number[0], &shape, row(&t[2], 0), t[2].rows);
    Py_END_ALLOW_THREADS
    released(t, 3);
    return PyLong_FromSsize_t(found);
}
