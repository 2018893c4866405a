/* Spectra of windows of real samples. */

#include "transform.h"

#include <stdlib.h>

typedef struct {
    const float *window, *roots; /* exp(-2 pi i k / size) for each k, as pairs */
    Py_ssize_t size, first, count;
    int powers; /* squared magnitudes instead of pairs */
} Spectrum;

/* The spectra of up to LANES windows. */
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
        const Bin bin = untangled(z, s->roots, half, k);
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
