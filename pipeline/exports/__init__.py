"""What a run can be written as for other tools, a module a format.

A module says with `APPROVED` whether it lists the approved clips alone, as a training set must, and makes its files with
`files(selection)`: pairs of a name, relative to the export's folder, and a text.
"""
