/* Rows of numbers as Python hands them over, and registers full of samples.

   What each kernel does is said in pipeline/kernels/__init__.py, and pipeline/kernels/plain.py does the same in NumPy: the two
   are held against each other by the tests. One build serves all Pythons from 3.11 on, by their stable interface. */

#ifndef VOXGATE_ROWS_H
#define VOXGATE_ROWS_H

#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030B0000
#include <Python.h>

#include <math.h>
#include <stdint.h>
#include <string.h>

#define NEXT_TO_NOTHING 1e-60 /* filter states under it are cleared, for the tiniest numbers take a hundred times longer */

/* ---- registers: GCC's and Clang's; other compilers build nothing, and plain.py does it ---- */

#define LANES 8 /* samples that are looked at together; a compiler may not reorder sums by itself */

#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && defined(__GLIBC__)
#define WIDE __attribute__((target_clones("avx2", "default")))
#else
#define WIDE
#endif

#define INLINE static inline __attribute__((always_inline)) /* into functions that are built for wide registers, too */

typedef double Pair __attribute__((vector_size(16)));
typedef float Samples __attribute__((vector_size(4 * LANES)));
typedef int32_t Mask __attribute__((vector_size(4 * LANES)));

INLINE Samples samples(const float *x)
{
    Samples loaded;
    memcpy(&loaded, x, sizeof loaded);
    return loaded;
}

INLINE Samples either(Mask first, Samples a, Samples b) { return (Samples)((first & (Mask)a) | (~first & (Mask)b)); }

/* ---- rows ---- */

typedef struct {
    Py_buffer view;
    char *bytes;
    Py_ssize_t rows, columns, row_bytes;
} Table;

INLINE void *row(const Table *table, Py_ssize_t number) { return table->bytes + number * table->row_bytes; }

/* Take the arguments of `name`, as many as there are letters in `kinds`: f, i and d are rows of floats, whole numbers and
   doubles, and to be written into when upper case; x is a number. 0 with an exception set when they are others. */
int taken(const char *name, const char *kinds, PyObject *const *given, Py_ssize_t count, Table *tables, double *numbers);

/* Give back the first `count` tables. */
void released(Table *tables, int count);

/* The same, and say that arguments do not fit each other. */
PyObject *refused(const char *name, Table *tables, int count);

/* Whether edges rise inside of so many samples; or memory would be read that is not theirs. */
int rising(const Table *edges, Py_ssize_t frames);

#define KERNEL(name) PyObject *name(PyObject *self, PyObject *const *given, Py_ssize_t count)

KERNEL(moments);
KERNEL(spectra);
KERNEL(power_spectra);
KERNEL(band_maxima);
KERNEL(filtered_energies);
KERNEL(extremes);
KERNEL(highest_between);
KERNEL(runs_over);
KERNEL(tops);
KERNEL(active_samples);
KERNEL(meetings);
KERNEL(crowds);

#endif
