"""Lambda entry points: parse, call one domain function, answer."""
