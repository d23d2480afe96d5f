"""Reconciles the database with its sources: is everything there, and does it still agree?"""
