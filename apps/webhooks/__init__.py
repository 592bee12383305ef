"""Other systems are told what happens: signed messages from the audit trail, kept until they are taken."""
