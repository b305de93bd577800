"""What may be wrong around a host, found without changing anything.

* `elsewhere`: what the database knows where no host can be asked.
"""
