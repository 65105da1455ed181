"""Secrets that stand in a project's history: found in an import or by newer rules, or reported by readers.

What is found before it lands never gets here (`micelio.sessions.secrets`). The secret itself is in no row.
"""
