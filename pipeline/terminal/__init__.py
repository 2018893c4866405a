"""What a person sees in the terminal: progress while a check runs, and the summary at its end."""

from pipeline.records import DatasetVerdict

STYLES = {
    DatasetVerdict.APPROVED: "bold green",
    DatasetVerdict.REJECTED: "bold red",
    DatasetVerdict.UNDECIDED: "bold yellow",
}
