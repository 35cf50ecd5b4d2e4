"""The judging and the finding of facts on other machines: jobs that go to an engine, and answers that are looked at."""
