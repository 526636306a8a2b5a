"""What crosses to Sage 300 CRE and Procore, and the worker and schedule that run it."""
