"""Comparisons every minute, and hours of them as one report."""
