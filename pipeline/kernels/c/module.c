/* What Python hands over, looked at before any kernel touches it, and the module itself. */

#include "rows.h"

static int opened(PyObject *object, char kind, Table *table)
{
    int writable = kind >= 'A' && kind <= 'Z';
    char plain = (char)(kind | 0x20);
    Py_ssize_t size = plain == 'f' ? 4 : 8;
    if (PyObject_GetBuffer(object, &table->view, PyBUF_STRIDED_RO | PyBUF_FORMAT | (writable ? PyBUF_WRITABLE : 0)) < 0)
        return 0;
    const Py_buffer *view = &table->view;
    char format = view->format == NULL ? 'B' : view->format[0];
    int known = plain == 'i' ? format == 'l' || format == 'q' || format == 'n' : format == plain;
    int last = view->ndim - 1;
    if (!known || view->itemsize != size || last < 0 || last > 1 || (view->shape[last] > 1 && view->strides[last] != size)) {
        PyErr_Format(PyExc_TypeError, "wanted rows of '%c' of %zd bytes, each in one piece", plain, size);
        PyBuffer_Release(&table->view);
        return 0;
    }
    table->bytes = view->buf;
    table->rows = last ? view->shape[0] : 1;
    table->columns = view->shape[last];
    table->row_bytes = last ? view->strides[0] : 0;
    return 1;
}

int taken(const char *name, const char *kinds, PyObject *const *given, Py_ssize_t count, Table *tables, double *numbers)
{
    int made = 0;
    if ((size_t)count != strlen(kinds)) {
        PyErr_Format(PyExc_TypeError, "%s wants %zu arguments", name, strlen(kinds));
        return 0;
    }
    for (Py_ssize_t at = 0; at < count; at++) {
        if (kinds[at] == 'x') {
            *numbers = PyFloat_AsDouble(given[at]);
            if (!(*numbers++ == -1 && PyErr_Occurred()))
                continue;
        } else if (opened(given[at], kinds[at], tables + made)) {
            made++;
            continue;
        }
        released(tables, made);
        return 0;
    }
    return 1;
}

void released(Table *tables, int count)
{
    while (count-- > 0)
        PyBuffer_Release(&tables[count].view);
}

PyObject *refused(const char *name, Table *tables, int count)
{
    released(tables, count);
    return PyErr_Format(PyExc_ValueError, "%s: the arguments do not fit each other", name);
}

int rising(const Table *edges, Py_ssize_t frames)
{
    const int64_t *at = row(edges, 0);
    int64_t before = 0;
    if (edges->rows != 1)
        return 0;
    for (Py_ssize_t k = 0; k < edges->columns; before = at[k++])
        if (at[k] <= before || at[k] > frames)
            return 0;
    return 1;
}

#define FUNCTION(name) {#name, (PyCFunction)(void (*)(void))name, METH_FASTCALL, NULL}

static PyMethodDef functions[] = {
    FUNCTION(moments),
    FUNCTION(filtered_energies),
    FUNCTION(spectra),
    FUNCTION(power_spectra),
    FUNCTION(band_maxima),
    FUNCTION(extremes),
    FUNCTION(runs_over),
    FUNCTION(tops),
    FUNCTION(highest_between),
    FUNCTION(active_samples),
    FUNCTION(meetings),
    FUNCTION(crowds),
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef compiled = {PyModuleDef_HEAD_INIT, "compiled", NULL, -1, functions, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit_compiled(void) { return PyModule_Create(&compiled); }
