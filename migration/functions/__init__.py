"""The toolkit's own Lambda handlers, thin: parse, call one capability, answer.

May import every room but `cli`; each is packed with what it imports, and nothing more. Must never need a
person.
"""
