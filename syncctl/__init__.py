"""syncctl: a rental business's booking API and store files, synced into its telecallers' lead database."""

__version__ = "1.0.0"
