from pipeline.kernels.plain import active_samples as active_samples
from pipeline.kernels.plain import extremes as extremes
from pipeline.kernels.plain import filtered_energies as filtered_energies
from pipeline.kernels.plain import highest_between as highest_between
from pipeline.kernels.plain import moments as moments
from pipeline.kernels.plain import powers as powers
from pipeline.kernels.plain import runs_over as runs_over
from pipeline.kernels.plain import tops as tops
