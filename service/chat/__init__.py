"""OpenAI's chat completions over a run: what is asked, the text a client shows, and its chunks."""
