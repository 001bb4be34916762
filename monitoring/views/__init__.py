"""The operations pages: parse, ask monitoring.pages or call one verb, render."""
