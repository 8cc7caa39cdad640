"""The named tuples that ops return: `max`, `sort`, …"""
