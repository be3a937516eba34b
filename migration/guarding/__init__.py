"""Both sets of guardrails, put together for a stack: as the commands and the watchdog look at them."""
