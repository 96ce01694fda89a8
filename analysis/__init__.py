"""Numbers and pictures from run logs. Imports neither Streamlit nor torch."""
